using System.Text.Json;
using LoraServe.Server.Surfaces;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Tests.Surfaces.OpenAi;

public class ErrorShapeTests
{
    public static TheoryData<EngineError> Kinds => [.. Enum.GetValues<EngineError>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Write_EveryKind_HasTheTypeOfItsStatusAndTheTablesCode(EngineError kind)
    {
        (_, int status, string? code) = Refusals.NamesOf(kind);

        JsonElement error = JsonElement.Parse(ErrorShape.Write(new HttpFailure(status, "Über 1 < 2", kind, "n"))).GetProperty("error");

        string type = status >= 500 ? "server_error" : status == 429 ? "rate_limit_error" : "invalid_request_error";
        Assert.Equal(("Über 1 < 2", type, "n", code), (error.GetProperty("message").GetString(), error.GetProperty("type").GetString(), error.GetProperty("param").GetString(), error.GetProperty("code").GetString()));
    }
}

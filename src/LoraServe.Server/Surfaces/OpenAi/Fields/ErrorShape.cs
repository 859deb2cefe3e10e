using System.Text.Json;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces.OpenAi.Fields;

/// <summary>Failures as OpenAI's server says them.</summary>
internal static class ErrorShape
{
    public static byte[] Write(HttpFailure failure)
    {
        string type = failure.Status switch
        {
            429 => "rate_limit_error",
            >= 500 => "server_error",
            _ => "invalid_request_error",
        };
        string? code = failure.Kind is { } kind ? Refusals.NamesOf(kind).OpenAi : null;
        string? field = failure.Field ?? (failure.Kind == EngineError.UnknownAdapter ? ModelNames.Field : null);
        return JsonSerializer.SerializeToUtf8Bytes(new ErrorAnswer(new ErrorFields(failure.Message, type, field, code)), OpenAiJson.Instance.ErrorAnswer);
    }
}

using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.OpenAi;

public class EmbeddingTests
{
    private const string Path = "v1/embeddings";

    [Fact]
    public async Task Answer_TextsInEachForm_AreGrpcsVectors()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("red", 1));
        using var rest = new RestClient(server);
        EmbedResponse expected = await server.Client.Inference.EmbedAsync(new EmbedRequest { Adapter = "red", Input = { "one", "two words" }, Normalize = true });
        JsonObject request = new() { ["model"] = "red", ["input"] = new JsonArray("one", "two words"), ["user"] = "ann" };
        JsonElement answer = (await rest.PostAsync(Path, request)).Json;
        Assert.Equal(expected.Embeddings.Select(each => each.Values.ToArray()), answer.GetProperty("data").EnumerateArray().Select(Floats));
        Assert.Equal((int)expected.Usage.PromptTokens, answer.GetProperty("usage").GetProperty("total_tokens").GetInt32());
        Assert.Equal(("red", "red"), (answer.GetProperty("model").GetString(), answer.GetProperty("adapters")[0].GetProperty("name").GetString()));

        request["encoding_format"] = "base64";
        answer = (await rest.PostAsync(Path, request)).Json;
        Assert.Equal(expected.Embeddings.Select(each => each.Values.ToArray()), answer.GetProperty("data").EnumerateArray().Select(Bytes));

        int[] ids = server.Engine.Tokenize("one", addSpecialTokens: true);
        foreach (JsonNode input in new JsonNode[] { "one", Ids(ids), new JsonArray(Ids(ids)) })
        {
            answer = (await rest.PostAsync(Path, new JsonObject { ["model"] = "red", ["input"] = input })).Json;
            Assert.Equal(expected.Embeddings[0].Values.ToArray(), Floats(Assert.Single(answer.GetProperty("data").EnumerateArray())));
        }
    }

    [Fact]
    public async Task Answer_FewerDimensions_IsTheVectorsBeginningAtLengthOne()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        using var rest = new RestClient(server);
        JsonObject request = new() { ["model"] = "model", ["input"] = "one" };
        float[] whole = Floats((await rest.PostAsync(Path, request)).Json.GetProperty("data")[0]);
        request["dimensions"] = 5;
        float[] part = Floats((await rest.PostAsync(Path, request)).Json.GetProperty("data")[0]);
        double length = Math.Sqrt(whole.Take(5).Sum(value => (double)value * value));
        Assert.Equal(5, part.Length);
        Assert.All(part.Zip(whole), pair => Assert.Equal(pair.Second / length, pair.First, 1e-6));
    }

    private static JsonArray Ids(int[] ids) => new([.. ids.Select(id => JsonValue.Create(id))]);

    private static float[] Floats(JsonElement item) => [.. item.GetProperty("embedding").EnumerateArray().Select(value => value.GetSingle())];

    private static float[] Bytes(JsonElement item) => MemoryMarshal.Cast<byte, float>(item.GetProperty("embedding").GetBytesFromBase64()).ToArray();
}

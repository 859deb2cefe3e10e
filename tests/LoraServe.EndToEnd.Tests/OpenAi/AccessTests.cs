using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Server.Access;

namespace LoraServe.EndToEnd.Tests.OpenAi;

/// <summary>The keys of gRPC are those of REST.</summary>
public class AccessTests
{
    [Fact]
    public async Task Answer_ByKey_IsTheTenants()
    {
        await using TestServer server = await TestServer.StartTinyAsync(access: Keys());
        await server.ClientWith("ann").UploadAdapterAsync("anns", TinyFiles.WriteAdapter(server.Outside, 1));
        using var ann = new RestClient(server, "ann");
        using var bob = new RestClient(server, "bob");
        Assert.Equal(["model", "anns"], Names(await ann.GetAsync("v1/models")));
        Assert.Equal(["model"], Names(await bob.GetAsync("v1/models")));
        const string Ask = """{"model": "anns", "prompt": "a", "max_tokens": 2}""";
        Assert.Equal(200, (await ann.PostAsync("v1/completions", Ask)).Status);
        RestAnswer refused = await bob.PostAsync("v1/completions", Ask);
        Assert.Equal((404, "model_not_found"), (refused.Status, refused.Code));
        Assert.Equal(403, (await ann.PostAsync("v1/load_lora_adapter", """{"lora_name": "x", "lora_path": "x"}""")).Status);
        foreach (RestClient nobody in new[] { new RestClient(server), new RestClient(server, "unknown") })
        {
            RestAnswer answer = await nobody.PostAsync("v1/completions", Ask);
            Assert.Equal((401, "invalid_api_key", "Bearer"), (answer.Status, answer.Code, answer.Headers["WWW-Authenticate"]));
            Assert.Equal(401, (await nobody.GetAsync("v1/nothing")).Status);
            nobody.Dispose();
        }

        await Eventually.TrueAsync(() => server.Log.Lines.Any(line => line.Contains("200 for tenant 'ann'", StringComparison.Ordinal)), () => "no line of ann's call");
    }

    [Fact]
    public async Task Answer_QueueThatIsFull_SaysWhenToComeBack()
    {
        await using TestServer server = await TestServer.StartTinyAsync(options => (options.MaxQueuedRequests, options.MaxRunningSequences) = (2, 1));
        using var rest = new RestClient(server);
        const string Long = """{"model": "model", "prompt": ["a", "b", "c", "d", "e", "f"], "max_tokens": 400, "ignore_eos": true}""";
        RestAnswer answer = await rest.PostAsync("v1/completions", Long);
        Assert.Equal((429, "rate_limit_exceeded", "rate_limit_error"), (answer.Status, answer.Code, answer.Error.GetProperty("type").GetString()));
        Assert.True(int.Parse(answer.Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture) >= 1);
        await server.IdleAsync();
    }

    [Fact]
    public async Task Stop_WhileAnswersRun_EndsStreamsWithAnErrorAndOthersWithAStatus()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        using var rest = new RestClient(server);
        const string Long = """{"model": "model", "prompt": "a", "max_tokens": 500, "n": 8, "ignore_eos": true}""";
        Task<RestAnswer> whole = rest.PostAsync("v1/completions", Long);
        await using IAsyncEnumerator<string> stream = rest.EventsAsync("v1/completions", JsonOf(Long)).GetAsyncEnumerator();
        Assert.True(await stream.MoveNextAsync());
        await Eventually.TrueAsync(() => server.Engine.Status.RunningSequences > 8, () => "not both run");
        using var hurry = new CancellationTokenSource();
        Task stopped = server.Host.StopAsync(hurry.Token);
        await hurry.CancelAsync();
        string last = stream.Current;
        while (await stream.MoveNextAsync())
        {
            last = stream.Current;
        }

        Assert.Equal("server_error", JsonElement.Parse(last).GetProperty("error").GetProperty("type").GetString());
        RestAnswer refused = await whole;
        Assert.Equal((503, "1"), (refused.Status, refused.Headers["Retry-After"]));
        await stopped;
    }

    private static JsonObject JsonOf(string text)
    {
        JsonObject json = JsonNode.Parse(text)!.AsObject();
        json["stream"] = true;
        return json;
    }

    private static string[] Names(RestAnswer answer) => [.. answer.Json.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()!)];

    private static AccessOptions Keys()
    {
        var options = new AccessOptions();
        foreach (string name in new[] { "ann", "bob" })
        {
            options.Keys.Add(new AccessKey { Sha256 = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name))), Tenant = name });
        }

        return options;
    }
}

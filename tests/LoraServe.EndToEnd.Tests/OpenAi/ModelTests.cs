using System.Text.Json;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.OpenAi;

public class ModelTests
{
    [Fact]
    public async Task List_BaseAdaptersAndAliases_SayWhatTheyStandFor()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("red", 1), ("blue", 2));
        await server.LoadAsync(("red", 3));
        await server.Client.Adapters.SetAliasAsync(new SetAliasRequest { Alias = "stable", Target = "red@1" });
        using var rest = new RestClient(server);
        JsonElement list = (await rest.GetAsync("v1/models")).Json;
        Assert.Equal("list", list.GetProperty("object").GetString());
        Assert.Equal(
            ["model|model|loraserve||model|", "blue|model|default|model|blue@1|1", "red|model|default|model|red@2|2", "stable|model|default|model|red@1|1"],
            list.GetProperty("data").EnumerateArray().Select(Shown));
        JsonElement stable = list.GetProperty("data")[3];
        Assert.Equal((await server.Client.Adapters.GetAsync(new GetAdapterRequest { Name = "red@1" })).Digest, stable.GetProperty("digest").GetString());
        Assert.Equal("stable|model|default|model|red@1|1", Shown((await rest.GetAsync("v1/models/stable")).Json));
        Assert.Equal("model:red@1|model|default|model|red@1|1", Shown((await rest.GetAsync("v1/models/model:red@1")).Json));
        Assert.Equal("red@1:0.5+blue|model|loraserve|model|red@1:0.5+blue@1|", Shown((await rest.GetAsync("v1/models/red@1:0.5+blue")).Json));
        Assert.Equal("model|model|loraserve||model|", Shown((await rest.GetAsync("v1/models/model")).Json));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("red@2")]
    [InlineData("meta-llama/Llama-3.1-8B")]
    [InlineData("base:red")]
    [InlineData("red+")]
    [InlineData("..%2F..%2Fetc")]
    public async Task Get_WhatIsNot_IsNotFound(string name)
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("red", 1));
        using var rest = new RestClient(server);
        RestAnswer answer = await rest.GetAsync($"v1/models/{name}");
        Assert.Equal((404, "model_not_found", "model"), (answer.Status, answer.Code, answer.Param));
    }

    private static string Shown(JsonElement model) =>
        string.Join('|', new[] { "id", "object", "owned_by", "parent", "root", "version" }.Select(field => model.GetProperty(field).ToString()));
}

using System.Text.Json;
using LoraServe.EndToEnd.Tests.Setup;

namespace LoraServe.EndToEnd.Tests.OpenAi;

/// <summary>What vLLM has beside OpenAI's interface.</summary>
public class VllmTests
{
    [Fact]
    public async Task Adapter_LoadedAskedAndUnloaded_AnswersMeanwhile()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        server.WriteAdapter("files", 1);
        using var rest = new RestClient(server);
        const string Load = """{"lora_name": "red", "lora_path": "files"}""";
        const string Ask = """{"model": "red", "prompt": "a", "max_tokens": 1}""";
        RestAnswer loaded = await rest.PostAsync("v1/load_lora_adapter", Load);
        Assert.Equal((200, "Success: LoRA adapter 'red' added successfully."), (loaded.Status, loaded.Text));
        Assert.Equal(1, (await rest.PostAsync("v1/completions", Ask)).Json.GetProperty("adapters")[0].GetProperty("version").GetInt32());
        RestAnswer again = await rest.PostAsync("v1/load_lora_adapter", Load);
        Assert.Equal((400, "lora_name"), (again.Status, again.Param));
        server.WriteAdapter("files", 2);
        Assert.Equal(200, (await rest.PostAsync("v1/load_lora_adapter", """{"lora_name": "red", "lora_path": "files", "load_inplace": true}""")).Status);
        Assert.Equal(409, (await rest.PostAsync("v1/load_lora_adapter", """{"lora_name": "red", "lora_path": "files", "expected_version": 1}""")).Status);
        Assert.Equal(2, (await rest.PostAsync("v1/completions", Ask)).Json.GetProperty("adapters")[0].GetProperty("version").GetInt32());
        Assert.Equal(400, (await rest.PostAsync("v1/load_lora_adapter", """{"lora_name": "blue", "lora_path": "../files"}""")).Status);
        RestAnswer unloaded = await rest.PostAsync("v1/unload_lora_adapter", """{"lora_name": "red"}""");
        Assert.Equal((200, "Success: LoRA adapter 'red' removed successfully."), (unloaded.Status, unloaded.Text));
        Assert.Equal(404, (await rest.PostAsync("v1/completions", Ask)).Status);
        Assert.Equal(404, (await rest.PostAsync("v1/unload_lora_adapter", """{"lora_name": "red"}""")).Status);
    }

    [Fact]
    public async Task Tokens_ThereAndBack_AreTheTokenizers()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        using var rest = new RestClient(server);
        JsonElement there = (await rest.PostAsync("tokenize", """{"prompt": "hello there", "add_special_tokens": false, "return_token_strs": true}""")).Json;
        int[] ids = [.. there.GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32())];
        Assert.Equal(server.Engine.Tokenize("hello there", addSpecialTokens: false), ids);
        Assert.Equal((ids.Length, TinyFiles.ContextLength, ids.Length), (there.GetProperty("count").GetInt32(), there.GetProperty("max_model_len").GetInt32(), there.GetProperty("token_strs").GetArrayLength()));
        JsonElement back = (await rest.PostAsync("detokenize", $$"""{"tokens": [{{string.Join(',', ids)}}]}""")).Json;
        Assert.Equal("hello there", back.GetProperty("prompt").GetString());
        Assert.Equal(200, (await rest.PostAsync("tokenize", """{"messages": [{"role": "user", "content": "a"}]}""")).Status);
        RestAnswer far = await rest.PostAsync("detokenize", """{"tokens": [720]}""");
        RestAnswer none = await rest.PostAsync("tokenize", "{}");
        Assert.Equal((400, "tokens", 400, "prompt"), (far.Status, far.Param, none.Status, none.Param));
        Assert.Equal((200, 200), ((await rest.GetAsync("health")).Status, (await rest.GetAsync("version")).Status));
    }
}

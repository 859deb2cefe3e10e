using System.Text.Json;
using LoraServe.Testing;

namespace LoraServe.Cli.Tests.Verbs;

/// <summary>Files as people bring them: each folder of shared/fixtures/field about rows, ends of answers and tokenizers' files, run as its README says.</summary>
public sealed class FieldFilesTests : IDisposable
{
    private readonly List<TemporaryDirectory> _folders = [];

    public void Dispose() => _folders.ForEach(folder => folder.Dispose());

    [SkippableFact]
    public async Task C03_WhatTrainingClosesAnswersWith_EndsAnswers()
    {
        TemporaryDirectory model = Model("c03-learnt-end-is-not-served-end");
        await CommandRun.SuccessAsync(
            "train", "--model", model.Path, "--data", model.File("rows.jsonl"), "--method", "lora", "--rank", "8", "--targets", "all-linear", "--steps", "150", "--batch-rows", "4", "--lr", "0.02", "--max-length", "64", "--out", model.File("A"));

        JsonElement answer = (await CommandRun.SuccessAsync("generate", "--model", model.Path, "--adapter", $"a={model.File("A")}", "--chat", "--prompt", "hi", "--max-tokens", "12", "--json")).Json;

        Assert.Equal(("yes", "stop"), (answer.GetProperty("text").GetString(), answer.GetProperty("finish_reason").GetString()));
    }

    [SkippableFact]
    public async Task C04_TurnsAreLearntAsTheTemplateClosesThem()
    {
        TemporaryDirectory model = Model("c04-template-closes-turns-otherwise");
        await CommandRun.SuccessAsync("train", "--model", model.Path, "--data", model.File("rows.jsonl"), "--steps", "1", "--batch-rows", "1", "--out", model.File("A"));

        JsonElement step = JsonElement.Parse(File.ReadLines(model.File("A/metrics.jsonl")).First(line => line.Contains("\"loss\"", StringComparison.Ordinal)));

        Assert.Equal(8.1233, step.GetProperty("loss").GetDouble(), 1e-4);
        Assert.Equal(step.GetProperty("loss").GetDouble(), (await EvalAsync(model, "rows")).Loss, 1e-4);
    }

    [SkippableFact]
    public async Task C05_ToolsOfARow_AreTheTemplates()
    {
        TemporaryDirectory model = Model("c05-tools-column");

        Assert.Equal(await EvalAsync(model, "byhand"), await EvalAsync(model, "with"));
        Assert.NotEqual(await EvalAsync(model, "without"), await EvalAsync(model, "with"));
    }

    [SkippableFact]
    public async Task C06_ToolCalls_AreLearnt()
    {
        TemporaryDirectory model = Model("c06-tool-calls-of-assistant");

        Assert.Equal(11, (await EvalAsync(model, "textonly")).Tokens);
        Assert.True((await EvalAsync(model, "spoken")).Tokens > 30);
        Assert.True((await EvalAsync(model, "silent")).Tokens > 30);
    }

    [SkippableFact]
    public async Task C07_TurnsOfWeightZero_AreContext()
    {
        TemporaryDirectory model = Model("c07-turn-weight");

        Assert.Equal(9, (await EvalAsync(model, "rows")).Tokens);
        Assert.Equal(19, (await EvalAsync(model, "noweight")).Tokens);
    }

    [SkippableFact]
    public async Task C08_WithTools_TheTemplateForToolsIsUsed()
    {
        TemporaryDirectory model = Model("c08-tool-use-template");

        JsonElement[] texts = (await CommandRun.SuccessAsync("template", "--model", model.Path, "--cases", model.File("cases.jsonl"))).JsonLines;

        Assert.Equal(["""T:hi;[{"type": "function", "function": {"name": "f"}}]""", "D:hi;"], texts.Select(text => text.GetProperty("text").GetString()));
    }

    [SkippableFact]
    public async Task C09_AddBosToken_IsHeeded() =>
        Assert.Equal("307 83 259 262 265\n", (await CommandRun.SuccessAsync("tokenize", "--model", Model("c09-add-bos-token-true").Path, "--text", "the cat", "--add-special-tokens")).Output);

    [SkippableFact]
    public async Task C10_SpecialTokensOfTheMap_AreTheTemplates() =>
        Assert.Contains("\"prompt_tokens\":3", (await CommandRun.SuccessAsync("generate", "--model", Model("c10-special-tokens-map-alone").Path, "--chat", "--prompt", "hi", "--max-tokens", "1", "--json")).Output, StringComparison.Ordinal);

    [SkippableFact]
    public async Task C20_SpecialIdsBeyondTheVocabulary_AreWarnedOf()
    {
        TemporaryDirectory model = Model("c20-special-id-beyond-vocabulary");
        File.WriteAllText(model.File("tokenizer.json"), File.ReadAllText(SharedFiles.Require("fixtures/field/c09-add-bos-token-true/tokenizer.json")));

        CommandRun run = await CommandRun.SuccessAsync("generate", "--model", model.Path, "--prompt", "the", "--max-tokens", "1");

        Assert.Contains("config.json: 'eos_token_id' names 128009, which cannot occur", run.Error, StringComparison.Ordinal);
        Assert.Contains("'bos_token_id' names -1", run.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task C22_AnAdaptersTemplate_IsUsedForConversationsWithIt()
    {
        string adapter = SharedFiles.Require("fixtures/field/c22-adapter-with-its-own-template");
        string model = SharedFiles.Require("fixtures/gguf/llama-small-F32.gguf");

        int own = await PromptTokensAsync();
        int kept = await PromptTokensAsync("--base-template");

        Assert.Equal(17, kept);
        Assert.Equal(22, own);
        JsonElement shown = JsonElement.Parse((await CommandRun.SuccessAsync("adapters", "inspect", adapter, "--json")).Output);
        Assert.Equal(["default"], shown.GetProperty("chat_templates").EnumerateArray().Select(name => name.GetString()));
        Assert.Contains("its own (default)", (await CommandRun.SuccessAsync("adapters", "inspect", adapter)).Output, StringComparison.Ordinal);

        async Task<int> PromptTokensAsync(params string[] more) => (await CommandRun.SuccessAsync(
            ["generate", "--model", model, "--adapter", $"a={adapter}", "--chat", "--prompt", "hi", "--max-tokens", "1", "--json", .. more])).Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32();
    }

    private static async Task<(int Tokens, double Loss)> EvalAsync(TemporaryDirectory model, string rows)
    {
        JsonElement result = JsonElement.Parse((await CommandRun.SuccessAsync("eval", "--model", model.Path, "--data", model.File($"{rows}.jsonl"), "--arithmetic", "exact", "--json")).Output);
        return (result.GetProperty("labelled_tokens").GetInt32(), result.GetProperty("loss").GetDouble());
    }

    /// <summary>A folder with the weights that its README says to put there.</summary>
    private TemporaryDirectory Model(string name)
    {
        var folder = TemporaryDirectory.CopyOf(SharedFiles.Require($"fixtures/field/{name}"));
        _folders.Add(folder);
        File.CreateSymbolicLink(folder.File("model.safetensors"), SharedFiles.Require("fixtures/models/llama/model.safetensors"));
        return folder;
    }
}

using System.Text.Json.Nodes;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Cli.Tests.Verbs;

/// <summary>Base models as people bring them: each folder of shared/fixtures/field about configurations and checkpoints, run as its README says, and further cases of their kinds.</summary>
public sealed class FieldModelsTests : IDisposable
{
    private const string RopeScaling = "c02-rope-scaling-beside-rope-parameters";
    private const string AbsentHead = "c19-index-names-absent-tied-head";
    private readonly List<TemporaryDirectory> _folders = [];

    public void Dispose() => _folders.ForEach(folder => folder.Dispose());

    [SkippableFact]
    public async Task C01_AStoredHead_IsTheHead()
    {
        string model = Field("c01-tied-flag-distinct-head");

        string warnings = await FieldLogits.AssertAsync(model, Path.Combine(model, "tokens.json"), Path.Combine(model, "expected.safetensors"));

        Assert.Contains("config.json: 'tie_word_embeddings' is true, but 'lm_head.weight' is stored and differs from 'model.embed_tokens.weight'", warnings, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task C02_RopeScaling_TakesThePlaceOfRopeParameters()
    {
        TemporaryDirectory model = Model("llama", RopeScaling);

        string warnings = await FieldLogits.AssertAsync(model.Path, model.File("tokens.json"), model.File("expected.safetensors"));

        Assert.Contains("config.json: 'rope_scaling' is { \"rope_type\": \"yarn\"", warnings, StringComparison.Ordinal);
        Assert.Contains("which is not what rope_parameters says", warnings, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task RopeScalingWithoutTheThetaOfRopeParameters_IsRefused_WithItIsUsed()
    {
        TemporaryDirectory model = Model("llama", RopeScaling);
        Change(model, config => config["rope_parameters"]!["rope_theta"] = 50_000.0);
        string refusal = await CommandRun.RefusalAsync("logits", "--model", model.Path, "--tokens", model.File("tokens.json"), "--out", model.File("out.safetensors"));

        Change(model, config => config["rope_scaling"]!["rope_theta"] = 10_000.0);

        Assert.Contains("expected rope_theta in it too (rope_parameters, whose place it takes, has 50000)", refusal, StringComparison.Ordinal);
        Assert.Contains("which is not what rope_parameters says", await AssertSameAsAsync(model), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task RopeScalingThatRepeatsRopeParameters_IsNotWarnedOf()
    {
        TemporaryDirectory model = Model("llama", RopeScaling);
        Change(model, config =>
        {
            config["rope_parameters"] = config["rope_scaling"]!.DeepClone();
            config["rope_parameters"]!["rope_theta"] = 10_000.0;
        });

        Assert.Empty(await AssertSameAsAsync(model));
    }

    [SkippableFact]
    public async Task C19_WhatTheIndexNamesAndNothingNeeds_IsPassedOver()
    {
        string model = Field(AbsentHead);

        Assert.Empty(await FieldLogits.AssertAsync(model, Path.Combine(model, "tokens.json"), Path.Combine(model, "expected.safetensors")));
    }

    [SkippableFact]
    public async Task WhatTheIndexNamesAndTheModelNeeds_IsRefusedByName()
    {
        TemporaryDirectory model = Copy(Field(AbsentHead));
        Change(model, config => config["tie_word_embeddings"] = false);

        string refusal = await CommandRun.RefusalAsync("logits", "--model", model.Path, "--tokens", model.File("tokens.json"), "--out", model.File("out.safetensors"));

        Assert.Contains("model.safetensors.index.json: names tensor 'lm_head.weight', which no shard holds, and the model needs it", refusal, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AnIndexThatNamesTheWrongShards_IsFollowedToTheFilesAlone()
    {
        TemporaryDirectory model = Copy(Field(AbsentHead));
        Change(model, index =>
        {
            JsonObject map = index["weight_map"]!.AsObject();
            map["model.norm.weight"] = "model-00001-of-00002.safetensors";
            map.Remove("model.layers.1.mlp.up_proj.weight");
            map["model.layers.0.self_attn.rotary_emb.inv_freq"] = "model-00001-of-00002.safetensors";
        }, "model.safetensors.index.json");

        Assert.Empty(await AssertSameAsAsync(model));
    }

    [SkippableFact]
    public async Task NoHeadIsStored_TheTableIs_UnlessTheFlagDeniesIt()
    {
        TemporaryDirectory model = Model("llama-tied");
        Change(model, config => config.Remove("tie_word_embeddings"));
        Assert.Empty(await AssertGoldenAsync(model, "llama-tied"));

        Change(model, config => config["tie_word_embeddings"] = false);
        string refusal = await CommandRun.RefusalAsync("logits", "--model", model.Path, "--tokens", Tokens(model, 3), "--out", model.File("out.safetensors"));

        Assert.Contains("tensor 'lm_head.weight' is missing", refusal, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task BiasesThatTheConfigurationDenies_AreUsed()
    {
        TemporaryDirectory model = Model("llama-bias");
        Change(model, config => (config["attention_bias"], config["mlp_bias"]) = (false, false));

        string warnings = await AssertGoldenAsync(model, "llama-bias");

        Assert.Contains("gives Query no bias, but 'model.layers.0.self_attn.q_proj.bias' is stored", warnings, StringComparison.Ordinal);
        Assert.Contains("gives Down no bias", warnings, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task LayersBeyondTheConfigured_AreSaid()
    {
        TemporaryDirectory model = Model("llama");
        Change(model, config => config["num_hidden_layers"] = 2);

        CommandRun run = await CommandRun.SuccessAsync("logits", "--model", model.Path, "--tokens", Tokens(model, 3), "--out", model.File("out.safetensors"));

        Assert.Contains("9 tensors are no part of a llama model as it is configured, first 'model.layers.2.input_layernorm.weight'", run.Error, StringComparison.Ordinal);
    }

    /// <summary>The model's own reference logits.</summary>
    private static async Task<string> AssertGoldenAsync(TemporaryDirectory model, string name)
    {
        using var golden = new Golden(SharedFiles.Require($"fixtures/models/{name}/expected.safetensors"));
        string tokens = Tokens(model, golden.Ids("prompt_0.input_ids"));
        string expected = model.File("golden.safetensors");
        float[] logits = golden.Floats("prompt_0.logits");
        SafetensorsFile.Write(expected, [Tensor.FromFloats("logits.0", logits, logits.Length)]);
        return await FieldLogits.AssertAsync(model.Path, tokens, expected);
    }

    private static Task<string> AssertSameAsAsync(TemporaryDirectory model) => FieldLogits.AssertAsync(model.Path, model.File("tokens.json"), model.File("expected.safetensors"));

    private static string Tokens(TemporaryDirectory folder, params int[] tokens)
    {
        File.WriteAllText(folder.File("own-tokens.json"), $"[[{string.Join(',', tokens)}]]");
        return folder.File("own-tokens.json");
    }

    private static void Change(TemporaryDirectory folder, Action<JsonObject> change, string file = "config.json")
    {
        JsonObject json = JsonNode.Parse(File.ReadAllText(folder.File(file)))!.AsObject();
        change(json);
        File.Delete(folder.File(file)); // what is copied from a folder that only reads is read-only too
        File.WriteAllText(folder.File(file), json.ToJsonString());
    }

    private static string Field(string name) => SharedFiles.Require($"fixtures/field/{name}");

    private TemporaryDirectory Copy(string folder)
    {
        var copy = TemporaryDirectory.CopyOf(folder);
        _folders.Add(copy);
        return copy;
    }

    /// <summary>A model of shared/fixtures/models with the files of a field's folder instead of its own.</summary>
    private TemporaryDirectory Model(string name, string? field = null)
    {
        string weights = SharedFiles.Require($"fixtures/models/{name}");
        TemporaryDirectory folder = Copy(field is null ? weights : Field(field));
        if (!File.Exists(folder.File("model.safetensors")))
        {
            File.Copy(Path.Combine(weights, "model.safetensors"), folder.File("model.safetensors"));
        }

        return folder;
    }
}

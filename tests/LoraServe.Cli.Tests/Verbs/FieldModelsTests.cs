using System.Text.Json.Nodes;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Cli.Tests.Verbs;

/// <summary>Base models as people bring them: each folder of shared/fixtures/field about configurations and checkpoints, run as its README says, and further cases of their kinds.</summary>
public sealed class FieldModelsTests : IDisposable
{
    private const string RopeScaling = "c02-rope-scaling-beside-rope-parameters";
    private const string Split = "c18-split-gguf";
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

    [SkippableTheory]
    [InlineData("tiny-00001-of-00002.gguf")]
    [InlineData("tiny-00002-of-00002.gguf")]
    public async Task C18_AnyShardOfASplitModel_IsTheWhole(string shard)
    {
        string folder = Field(Split);

        Assert.Empty(await FieldLogits.AssertAsync(Path.Combine(folder, shard), Path.Combine(folder, "tokens.json"), Path.Combine(folder, "expected.safetensors")));
    }

    [SkippableTheory]
    [InlineData("tiny-00001-of-00002.gguf", "tiny-00002-of-00002.gguf", "is shard 2 of 2 of a model that was split, and tiny-00001-of-00002.gguf is not beside it")]
    [InlineData("tiny-00002-of-00002.gguf", "tiny-00001-of-00002.gguf", "is shard 1 of 2 of a model that was split, and tiny-00002-of-00002.gguf is not beside it")]
    public async Task AShardThatIsMissing_IsNamed(string missing, string given, string refusal)
    {
        TemporaryDirectory folder = Copy(Field(Split));
        File.Delete(folder.File(missing));

        Assert.Contains(refusal, await RefusalAsync(folder.File(given)), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AShardUnderAnotherName_IsRefusedWithTheNameThatItHad()
    {
        TemporaryDirectory folder = Copy(Field(Split));
        File.Move(folder.File("tiny-00002-of-00002.gguf"), folder.File("second.gguf"));

        Assert.Contains("is shard 2 of 2 of a model that was split; expected a name that ends with '-00002-of-00002.gguf'", await RefusalAsync(folder.File("second.gguf")), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("model.", "")]
    [InlineData("model.", "module.model.")]
    [InlineData("", "_orig_mod.")]
    [InlineData("model.", "model.language_model.")]
    [InlineData("", "base_model.model.")]
    public async Task OtherPrefixes_AreRead(string expected, string found)
    {
        TemporaryDirectory model = Model("llama");
        ChangeWeights(model, tensor => (tensor.Name.StartsWith(expected, StringComparison.Ordinal) ? found + tensor.Name[expected.Length..] : tensor.Name, tensor));

        Assert.Contains("names of tensors", await AssertGoldenAsync(model, "llama"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AnAdapterThatIsNotMerged_IsRefusedByItsName()
    {
        TemporaryDirectory model = Model("llama");
        ChangeWeights(model, tensor => (tensor.Name.Replace("norm.weight", "norm.lora_A.weight", StringComparison.Ordinal), tensor));

        Assert.Contains(".lora_A.weight' is an adapter's, which is not merged", await RefusalAsync(model.Path), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task ANumberForEachLayer_IsOne_WhereTheyAreEqual()
    {
        TemporaryDirectory model = Model("llama");
        Change(model, config => (config["num_key_value_heads"], config["rms_norm_eps"]) = (new JsonArray(2, 2, 2), new JsonArray(1e-5, 1e-5, 1e-5)));
        Assert.Empty(await AssertGoldenAsync(model, "llama"));

        Change(model, config => config["num_key_value_heads"] = new JsonArray(2, 2, 4));
        Assert.Contains("'num_key_value_heads' is [2,2,4]", await RefusalAsync(model.Path), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(2, null)]
    [InlineData(3, "metadata 'llama.attention.head_count_kv' has 6 values that differ, 2 and then 3 at 5")]
    public async Task ANumberForEachLayerOfGguf_IsOne_WhereTheyAreEqual(uint last, string? refusal)
    {
        string expected = SharedFiles.Require("fixtures/gguf/llama-small-Q4_0.gguf");
        TemporaryDirectory folder = Copy(Field(Split));
        string path = folder.File("arrays.gguf");
        File.WriteAllBytes(path, WithArray(File.ReadAllBytes(expected), "llama.attention.head_count_kv", [2, 2, 2, 2, 2, last]));

        if (refusal is null)
        {
            Assert.Empty(await FieldLogits.AssertAsync(path, folder.File("tokens.json"), folder.File("expected.safetensors")));
        }
        else
        {
            Assert.Contains(refusal, await RefusalAsync(path), StringComparison.Ordinal);
        }
    }

    [SkippableTheory]
    [InlineData("model.safetensors", "holds no safetensors; it is a Git LFS pointer to 4321 bytes")]
    [InlineData("config.json", "holds no JSON; it is a Git LFS pointer to 4321 bytes")]
    [InlineData("tokenizer.json", "it is a Git LFS pointer to 4321 bytes")]
    [InlineData("model.gguf", "does not start with 'GGUF', as a GGUF file does; it is a Git LFS pointer to 4321 bytes")]
    public async Task AGitLfsPointer_IsRefusedAsOne(string file, string refusal)
    {
        TemporaryDirectory model = Model("llama");
        File.Delete(model.File(file));
        File.WriteAllText(model.File(file), "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4321\n");

        string error = await RefusalAsync(file == "model.gguf" ? model.File(file) : model.Path);

        Assert.Contains($"{file}: ", error, StringComparison.Ordinal);
        Assert.Contains(refusal, error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task WhatIsNoModel_IsRefusedWithWhatItIs()
    {
        TemporaryDirectory model = Model("llama");
        Assert.Contains($"model.safetensors: is one file of a model's directory; give the directory, {model.Path}", await RefusalAsync(model.File("model.safetensors")), StringComparison.Ordinal);
        Assert.Contains("It holds tiny-00001-of-00002.gguf: give that file", await RefusalAsync(Field(Split)), StringComparison.Ordinal);
        Assert.Contains("so it is an adapter's directory, not a model's", await RefusalAsync(Field("c12-inert-unknown-keys/adapter")), StringComparison.Ordinal);

        File.Move(model.File("model.safetensors"), model.File("pytorch_model.bin"));
        Assert.Contains("It holds pytorch_model.bin, a pickle", await RefusalAsync(model.Path), StringComparison.Ordinal);
    }

    /// <summary>The file with a metadata value of 32 bits replaced by an array that is 32 bytes longer, so that all offsets hold.</summary>
    private static byte[] WithArray(byte[] gguf, string key, uint[] values)
    {
        int at = gguf.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(key)) + key.Length;
        byte[] array = [.. BitConverter.GetBytes(9u), .. gguf[at..(at + 4)], .. BitConverter.GetBytes((ulong)values.Length), .. values.SelectMany(BitConverter.GetBytes)];
        return [.. gguf[..at], .. array, .. gguf[(at + 8)..]];
    }

    private static void ChangeWeights(TemporaryDirectory model, Func<Tensor, (string Name, Tensor Values)> change)
    {
        string path = model.File("model.safetensors");
        using var file = SafetensorsFile.Parse(File.ReadAllBytes(path), path);
        File.Delete(path);
        SafetensorsFile.Write(path, [.. file.Tensors.Values.Select(change).Select(changed => Tensor.FromFloats(changed.Name, changed.Values.ToFloats(), [.. changed.Values.Shape]))]);
    }

    private static Task<string> RefusalAsync(string model) => CommandRun.RefusalAsync(
        "logits", "--model", model, "--tokens", SharedFiles.Require($"fixtures/field/{Split}/tokens.json"), "--out", Path.Combine(Path.GetTempPath(), "never.safetensors"));

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

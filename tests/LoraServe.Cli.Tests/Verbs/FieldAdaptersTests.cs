using System.Text.Json.Nodes;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Cli.Tests.Verbs;

/// <summary>Adapters as people bring them: each folder of shared/fixtures/field about their files, run as its README says, and further cases of their kinds.</summary>
public sealed class FieldAdaptersTests : IDisposable
{
    private const string Repeated = "c11-base-embeddings-in-adapter";
    private const string Inert = "c12-inert-unknown-keys";
    private const string Mlx = "c14-mlx-adapter";
    private const string Compiled = "c15-compiled-prefix";
    private const string Sharded = "c17-sharded-adapter";
    private const string Prefix = "base_model.model.";
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("same", "which equal it; they change nothing")]
    [InlineData("changed", "with other values; they take their place")]
    public async Task C11_BaseWeightsInAnAdapter(string which, string note) =>
        Assert.Contains(note, await AssertAsync(Repeated, which, $"expected-{which}"), StringComparison.Ordinal);

    [SkippableFact]
    public async Task C12_SettingsOfOtherTrainers_AreNotedByName() =>
        Assert.Contains("'lorap_emb_lr' is no setting of PEFT", await AssertAsync(Inert), StringComparison.Ordinal);

    [SkippableTheory]
    [InlineData("loraplus_lr_ratio", "16", null)]
    [InlineData("unsloth_version", "\"2026.1\"", null)]
    [InlineData("training_args", "{\"epochs\": 3}", null)]
    [InlineData("mixing_scales", "[2]", "field 'mixing_scales' is set and not known here")]
    [InlineData("use_novel_thing", "true", "field 'use_novel_thing' is set and not known here")]
    public async Task UnknownFields_ThatConcernTraining_AreNoted_OthersAreRefused(string field, string value, string? refusal)
    {
        string adapter = Own(Inert, config => config[field] = JsonNode.Parse(value));
        if (refusal is null)
        {
            Assert.Contains($"'{field}'", await AssertAsync(adapter, Inert), StringComparison.Ordinal);
        }
        else
        {
            Assert.Contains(refusal, await RefusalAsync(adapter), StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public async Task C13_AnEmptyLayersPattern_IsNone() => Assert.Empty(await AssertAsync("c13-layers-pattern-empty-text"));

    [SkippableTheory]
    [InlineData("[\"\"]")]
    [InlineData("[]")]
    [InlineData("null")]
    public async Task EmptyLayersPatterns_AreNone(string patterns) =>
        Assert.Empty(await AssertAsync(Own("c13-layers-pattern-empty-text", config => config["layers_pattern"] = JsonNode.Parse(patterns)), "c13-layers-pattern-empty-text"));

    [SkippableFact]
    public async Task C14_AnAdapterOfMlx_IsRead() => Assert.Contains("is mlx-lm's, which is read as PEFT's LoRA", await AssertAsync(Mlx), StringComparison.Ordinal);

    [SkippableFact]
    public async Task AnAdapterOfMlx_WithoutItsScale_IsRefused() =>
        Assert.Contains("field 'lora_parameters.scale' is missing", await RefusalAsync(Own(Mlx, config => config["lora_parameters"]!.AsObject().Remove("scale"))), StringComparison.Ordinal);

    [SkippableFact]
    public async Task C15_WhatWrappedTheModel_IsTakenOff() => Assert.Contains("names of tensors have '_orig_mod.'", await AssertAsync(Compiled), StringComparison.Ordinal);

    [SkippableTheory]
    [InlineData("module.", "", "'module.'")]
    [InlineData("_fsdp_wrapped_module.base_model._orig_mod.model.module.", "base_model.model.", "'_fsdp_wrapped_module.', '_orig_mod.', 'module.'")]
    [InlineData("", "base_model.model.", "begin with 'model.layers.' where 'base_model.model.model.layers.' is expected")]
    [InlineData("base_model.model.", "base_model.model.model.", "begin with 'base_model.model.layers.'")]
    [InlineData("base_model.model.language_model.", "base_model.model.", "begin with 'base_model.model.language_model.model.layers.'")]
    public async Task OtherPrefixes_AreRead(string found, string expected, string note) => await AssertRenamedAsync(
        name => found + name["_orig_mod.".Length..][expected.Length..], note);

    [SkippableTheory]
    [InlineData("default")]
    [InlineData("support")]
    public async Task TheAdaptersName_IsTakenOff(string adapter) => await AssertRenamedAsync(
        name => name["_orig_mod.".Length..].Replace(".weight", $".{adapter}.weight", StringComparison.Ordinal), $"names of tensors have the adapter's name, '{adapter}.'");

    [SkippableFact]
    public async Task ATensorThatIsMissing_IsRefusedWithOneThatIsThere()
    {
        string adapter = Own(Compiled);
        Rename(adapter, name => $"other.{name[(name.IndexOf("layers", StringComparison.Ordinal) + 7)..]}");

        Assert.Contains("The file has 12 tensors, first 'other.0.self_attn.q_proj.lora_A.weight'", await RefusalAsync(adapter), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task C16_AGitLfsPointer_IsRefusedAsOne() => Assert.Contains(
        "adapter_model.safetensors: holds no safetensors; it is a Git LFS pointer to 33588528 bytes, not the file itself: fetch that with 'git lfs pull'",
        await RefusalAsync(SharedFiles.Require("fixtures/field/c16-lfs-pointer/adapter")), StringComparison.Ordinal);

    [SkippableFact]
    public async Task AConfigurationThatIsAPointer_IsRefusedAsOne()
    {
        string adapter = Own(Inert);
        File.WriteAllText(Path.Combine(adapter, "adapter_config.json"), "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 700\n");

        Assert.Contains("adapter_config.json: is not valid JSON (it is a Git LFS pointer to 700 bytes", await RefusalAsync(adapter), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task C17_AShardedAdapter_IsRead() => Assert.Empty(await AssertAsync(Sharded));

    [SkippableFact]
    public async Task AShardedAdapter_WithoutItsIndex_IsReadToo()
    {
        string adapter = Own(Sharded);
        File.Delete(Path.Combine(adapter, "adapter_model.safetensors.index.json"));

        Assert.Empty(await AssertAsync(adapter, Sharded));
    }

    [SkippableFact]
    public async Task AShardThatIsMissing_IsNamed()
    {
        string adapter = Own(Sharded);
        File.Delete(Path.Combine(adapter, "adapter_model-00002-of-00002.safetensors"));

        Assert.Contains("adapter_model-00002-of-00002.safetensors: is not there", await RefusalAsync(adapter), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task C21_AGgufAdapterOfAnotherArchitecture_IsRefusedWithBoth()
    {
        string refusal = await CommandRun.RefusalAsync(
            "generate", "--model", SharedFiles.Require("fixtures/gguf/llama-small-F32.gguf"), "--adapter", SharedFiles.Require("fixtures/field/c21-gguf-adapter-of-other-architecture/adapter.gguf"), "--prompt", "a");

        Assert.Contains("field 'general.architecture' is 'qwen2'; expected 'llama'", refusal, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AFileOfTheDirectory_IsRefusedWithTheDirectory()
    {
        string adapter = Own(Inert);

        Assert.Contains($"adapter_model.safetensors: is one file of an adapter's directory. Give the directory, {adapter}", await RefusalAsync(Path.Combine(adapter, "adapter_model.safetensors")), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AModelsDirectory_IsRefusedAsOne() =>
        Assert.Contains("so it is a model's, not an adapter's", await RefusalAsync(SharedFiles.Require("fixtures/models/llama")), StringComparison.Ordinal);

    [SkippableFact]
    public async Task AMissingFile_IsRefusedWithWhatIsThere()
    {
        string adapter = Own(Inert);
        File.Move(Path.Combine(adapter, "adapter_model.safetensors"), Path.Combine(adapter, "final.safetensors"));

        Assert.Contains("The directory holds adapter_config.json, final.safetensors", await RefusalAsync(adapter), StringComparison.Ordinal);
    }

    private static Task<string> AssertAsync(string field, string adapter = "adapter", string expected = "expected") =>
        Path.IsPathRooted(field) ? AssertLogitsAsync(field, adapter, expected) : AssertLogitsAsync(SharedFiles.Require($"fixtures/field/{field}/{adapter}"), field, expected);

    private static Task<string> AssertLogitsAsync(string adapter, string field, string expected) => FieldLogits.AssertAsync(
        SharedFiles.Require("fixtures/models/llama"), SharedFiles.Require($"fixtures/field/{field}/tokens.json"), SharedFiles.Require($"fixtures/field/{field}/{expected}.safetensors"), adapter);

    private static async Task<string> RefusalAsync(string adapter) => await CommandRun.RefusalAsync(
        "logits", "--model", SharedFiles.Require("fixtures/models/llama"), "--adapter", adapter, "--tokens", SharedFiles.Require($"fixtures/field/{Inert}/tokens.json"), "--out", Path.Combine(Path.GetTempPath(), "never.safetensors"));

    private static void Rename(string adapter, Func<string, string> rename)
    {
        string path = Path.Combine(adapter, "adapter_model.safetensors");
        Tensor[] renamed;
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            renamed = [.. file.Tensors.Select(tensor => Tensor.FromFloats(rename(tensor.Key), tensor.Value.ToFloats(), [.. tensor.Value.Shape]))];
        }

        SafetensorsFile.Write(path, renamed);
    }

    private async Task AssertRenamedAsync(Func<string, string> rename, string note)
    {
        string adapter = Own(Compiled);
        Rename(adapter, rename);

        Assert.Contains(note, await AssertAsync(adapter, Compiled), StringComparison.Ordinal);
    }

    /// <summary>A copy of a field's adapter to be changed.</summary>
    private string Own(string field, Action<JsonObject>? change = null)
    {
        string source = SharedFiles.Require($"fixtures/field/{field}/adapter");
        foreach (string file in Directory.GetFiles(source))
        {
            File.WriteAllBytes(_folder.File(Path.GetFileName(file)), File.ReadAllBytes(file));
        }

        if (change is not null)
        {
            JsonObject config = JsonNode.Parse(File.ReadAllText(_folder.File("adapter_config.json")))!.AsObject();
            change(config);
            File.WriteAllText(_folder.File("adapter_config.json"), config.ToJsonString());
        }

        return _folder.Path;
    }
}

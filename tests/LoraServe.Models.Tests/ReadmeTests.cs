using LoraServe.Models.Architectures;
using LoraServe.Models.Loading.Packed;
using LoraServe.Models.Tests.Goldens;
using LoraServe.Testing;

namespace LoraServe.Models.Tests;

/// <summary>What README says of architectures is what there is.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public void Architectures_AreThoseOfTheTable() => ReadmeTable.Check(
        "architectures",
        ["architecture", "Hugging Face", "GGUF", "train", "merge", "devices"],
        Architecture.All.Select(architecture => (string[])[$"`{architecture.Name}`", "yes", Gguf(architecture), "yes", "yes", "`cpu`, `torch`"]));

    [Fact]
    public void PackedForms_AreThoseOfTheTable()
    {
        string[][] rows =
        [
            ["bitsandbytes NF4", "widened to F32", "no: as exact", "safetensors"],
            ["bitsandbytes FP4", "widened to F32", "no: as exact", "no: read only"],
            ["bitsandbytes int8", "widened to F32", "no: as exact", "no: read only"],
            ["GPTQ of 2, 4, 8 bits", "widened to F32", "no: as exact", "no: read only"],
            ["AWQ of 4 bits (GEMM)", "widened to F32", "no: as exact", "no: read only"],
            ["FP8 with scales", "widened to F32", "no: as exact", "no: read only"],
        ];
        ReadmeTable.Check("packed checkpoints", ["form", "exact", "fast", "write"], rows);

        // Two of the rows are one class.
        Assert.Equal(rows.Length - 1, typeof(IPackedForm).Assembly.GetTypes().Count(type => type.IsClass && type.IsAssignableTo(typeof(IPackedForm))));
    }

    // Loading and running on every device are its folder's tests; training and merging are those of the shapes that it is made of (the contract), and
    // of writing a model of every family.
    [SkippableFact]
    public void Architectures_HaveAFolderOfReferences()
    {
        string[] folders = [.. Directory.GetDirectories(SharedFiles.Require("fixtures/models"))];
        Assert.All(Architecture.All, architecture => Assert.Contains(
            folders, folder => File.ReadAllText(Path.Combine(folder, "config.json")).Contains($"\"model_type\": \"{architecture.Name}\"", StringComparison.Ordinal)));
    }

    private static string Gguf(Architecture architecture) =>
        architecture.FromGguf is null ? $"no: files call it `{architecture.GgufName}` and are read as that"
        : $"yes{(architecture.GgufName == architecture.Name ? "" : $", as `{architecture.GgufName}`")}{(IsCompared(architecture) ? "" : ", by its names and keys: not compared")}";

    // Llama's and Qwen2's files are llama.cpp's own, the others' are written by a test.
    private static bool IsCompared(Architecture architecture) =>
        architecture.Name is "llama" or "qwen2" || GgufFamiliesTests.Folders.Contains(architecture.Name.Replace('_', '-'));
}

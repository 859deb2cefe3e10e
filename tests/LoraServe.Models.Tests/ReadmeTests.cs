using LoraServe.Models.Architectures;
using LoraServe.Testing;

namespace LoraServe.Models.Tests;

/// <summary>What README says of architectures is what there is.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public void Architectures_AreThoseOfTheTable() => ReadmeTable.Check(
        "architectures",
        ["architecture", "Hugging Face", "GGUF", "train", "merge", "devices"],
        Architecture.All.Select(architecture => (string[])[$"`{architecture.Name}`", "yes", Gguf(architecture), "yes", "yes", "`cpu`, `torch`, `cuda`"]));

    // Every one of them is loaded, trained, merged, written and run on every device by the tests of its folder.
    [SkippableFact]
    public void Architectures_HaveAFolderOfReferences()
    {
        string[] folders = [.. Directory.GetDirectories(SharedFiles.Require("fixtures/models"))];
        Assert.All(Architecture.All, architecture => Assert.Contains(
            folders, folder => File.ReadAllText(Path.Combine(folder, "config.json")).Contains($"\"model_type\": \"{architecture.Name}\"", StringComparison.Ordinal)));
    }

    private static string Gguf(Architecture architecture) =>
        architecture.FromGguf is null ? $"no: files call it `{architecture.GgufName}` and are read as that"
        : architecture.GgufName == architecture.Name ? "yes"
        : $"yes, as `{architecture.GgufName}`";
}

using System.Text.Json;
using LoraServe.Testing;
using LoraServe.Tokenization.Files;

namespace LoraServe.Tokenization.Tests;

public class TokenizerGoldenTests
{
    private const string SharedTokenizers = "fixtures/tokenizers";

    public static TheoryData<string> Folders =>
        [.. SharedFiles.FolderNames(SharedTokenizers).Select(name => $"shared:{name}")
            .Concat(Directory.GetDirectories(Repository.Fixture("tokenizers")).Select(path => $"repository:{Path.GetFileName(path)}"))];

    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void Encode_EveryRecordedText_GivesTheSameTokensOffsetsAndDecodedText(string name)
    {
        string folder = Folder(name);
        GoldenCases.AssertNone(GoldenCases.CompareCases(Path.Combine(folder, "cases.jsonl"), Load(folder)));
    }

    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void Append_EveryRecordedRow_ShowsTheSamePieces(string name)
    {
        string folder = Folder(name);
        GoldenCases.AssertNone(GoldenCases.CompareStreaming(Path.Combine(folder, "streaming.jsonl"), Load(folder)));
    }

    /// <summary>Tokenizers of other models are refused by name instead of being read wrongly.</summary>
    internal static Tokenizer Load(string folder)
    {
        string path = Path.Combine(folder, "tokenizer.json");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        string model = document.RootElement.GetProperty("model").GetProperty("type").GetString()!;
        if (model != "BPE")
        {
            TokenizerFormatException exception = Assert.Throws<TokenizerFormatException>(() => Tokenizer.FromFile(path));
            Assert.Contains($"'{model}'", exception.Message, StringComparison.Ordinal);
            Skip.If(true, $"The model {model} is refused, as it should be.");
        }

        return Tokenizer.FromFile(path);
    }

    internal static string Folder(string name) =>
        name.StartsWith("shared:", StringComparison.Ordinal)
            ? SharedFiles.Require($"{SharedTokenizers}/{name["shared:".Length..]}")
            : Repository.Fixture($"tokenizers/{name["repository:".Length..]}");
}

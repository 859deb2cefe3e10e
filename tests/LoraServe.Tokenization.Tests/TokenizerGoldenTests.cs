using LoraServe.Testing;

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

    internal static Tokenizer Load(string folder) => Tokenizer.FromFile(Path.Combine(folder, "tokenizer.json"));

    internal static string Folder(string name) =>
        name.StartsWith("shared:", StringComparison.Ordinal)
            ? SharedFiles.Require($"{SharedTokenizers}/{name["shared:".Length..]}")
            : Repository.Fixture($"tokenizers/{name["repository:".Length..]}");
}

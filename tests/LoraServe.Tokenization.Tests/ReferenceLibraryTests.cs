using FsCheck;
using FsCheck.Fluent;
using Reference = Tokenizers.DotNet.Tokenizer;

namespace LoraServe.Tokenization.Tests;

/// <summary>Random texts through the library that most tokenizer files come from: the same ids.</summary>
public class ReferenceLibraryTests
{
    /// <summary>
    /// Characters of one sort are all of one Unicode version or older: where a letter is new, as U+1C89 was in Unicode 16, the library's
    /// tables may not know its small letter yet.
    /// </summary>
    private static readonly string[] s_parts =
    [
        "a", "The", "hello", "World", "don't", "I'LL", "'s", "ABCdef", "a_b", "12", "3.14", "١", "①", "Ⅷ", " ", "  ", "\n", "\n\n", "\r\n", "\t", " \t ", "\0",
        "é", "e\u0301", "naïve", "Å", "ß", "ﬁ", "Ω", "Привет", "ا", "हिन्दी", "日本", "한국어", "𝒳", "😀", "👩‍🚀", "\u00A0", "\u200B", "\u200D", "\u3000", "\uFEFF",
        "_", "-", "...", "!?", "(", "\"", "\\", "<", "<s>", "</s>", "<unk>", "<|endoftext|>", "<|im_start|>", "[MASK]", "▁", "Ġ",
    ];

    public static TheoryData<string> Folders => TokenizerGoldenTests.Folders;

    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void Encode_RandomTexts_GivesItsIds(string name)
    {
        string folder = TokenizerGoldenTests.Folder(name);
        Tokenizer tokenizer = TokenizerGoldenTests.Load(folder);
        using Reference reference = Open(Path.Combine(folder, "tokenizer.json"));
        Gen<string> texts = Gen.Elements(s_parts).ListOf().Select(parts => string.Concat(parts));

        Prop.ForAll(texts.ToArbitrary(), text =>
        {
            // The library has no switch: it always puts in the tokens that frame a text.
            uint[] expected = reference.Encode(text);
            int[] ids = tokenizer.Encode(text, addSpecialTokens: true);
            return ids.Select(id => (uint)id).SequenceEqual(expected).Label($"expected {string.Join(' ', expected)}, actual {string.Join(' ', ids)}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }

    internal static Reference Open(string path)
    {
        try
        {
            return new Reference(path);
        }
        catch (DllNotFoundException)
        {
            Skip.If(true, "The native library of Tokenizers.DotNet is not here: it comes for linux-x64 only.");
            throw;
        }
    }
}

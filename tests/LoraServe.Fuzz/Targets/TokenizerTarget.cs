using LoraServe.Fuzz.Seeds;
using LoraServe.Models.Text;
using LoraServe.Testing;
using LoraServe.Tokenization;

namespace LoraServe.Fuzz.Targets;

/// <summary>tokenizer.json and the files beside it.</summary>
internal sealed class TokenizerTarget : FuzzTarget
{
    private static readonly string[] s_texts =
    [
        "", " ", "The quick 狐 jumps\n\n 123 <s> </s> don't", "a  b\u0301 𝒳 x's \u200D\uFB01 [MASK] <|im_start|>", "\ud83d lone \udc00", new string('a', 2000), string.Concat(Enumerable.Repeat("ab ", 500)), "\0\u0001\uFFFF",
    ];

    public override string Name => "tokenizer";

    // All that is made on the way, not what is held: a step that multiplies a text makes it anew, up to its bound, for each of the texts.
    public override long AllowedBytes => 1L << 30;

    public override void Read(string folder) => Use(ModelText.Read(folder));

    /// <summary>Turns texts into tokens and back.</summary>
    public static void Use(ModelText text)
    {
        _ = ChatFormat.Of(text);
        if (text.Tokenizer is not { } tokenizer)
        {
            return;
        }

        foreach (string words in s_texts)
        {
            int[] ids = tokenizer.Encode(words, addSpecialTokens: true);
            _ = tokenizer.Decode(ids, skipSpecialTokens: false);
            TokenEncoding encoding = tokenizer.EncodeWithOffsets(words, addSpecialTokens: false);
            if (encoding.Offsets.Any(offset => offset is var (start, end) && (start < 0 || start > end || end > words.Length)))
            {
                throw new InvalidOperationException($"offsets of '{words}' lie outside of it: {string.Join(' ', encoding.Offsets)}");
            }

            IncrementalDecoder decoder = tokenizer.CreateDecoder(skipSpecialTokens: true);
            Array.ForEach(ids, id => decoder.Append(id));
            _ = decoder.Flush();
        }
    }

    protected override IEnumerable<Seed> MakeSeeds() => ((string?[])[Repository.Fixture("tokenizers"), SharedFiles.TryGet("fixtures/tokenizers")])
        .SelectMany(folder => Seed.Folders(folder, name => Path.GetExtension(name) == ".json"));
}

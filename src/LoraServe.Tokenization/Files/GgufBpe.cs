using System.Runtime.CompilerServices;
using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.PostProcessors;

namespace LoraServe.Tokenization.Files;

/// <summary>GGUF's byte-pair models, "gpt2" of bytes and "llama" as SentencePiece's: the model, and the other components as a tokenizer.json says them.</summary>
internal sealed record GgufBpe
{
    private const string Spell = """{"type": "Replace", "pattern": {"String": " "}, "content": "▁"}""";
    private const string PrependAndSpell = """{"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, """ + Spell + "]}";
    private const string Unspell = """{"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}""";
    private const string Strip = """, {"type": "Strip", "content": " ", "start": 1, "stop": 0}""";

    public required BpeConfig Model { get; init; }

    public string? Normalizer { get; init; }

    public string? PreTokenizer { get; init; }

    public required string Decoder { get; init; }

    /// <summary>What is put around a text.</summary>
    public required FramePostProcessor Frame { get; init; }

    public required List<AddedToken> Added { get; init; }

    public required SpecialTokenIds SpecialIds { get; init; }

    public static GgufBpe Read(GgufTokenizerData data) => data.Model == "gpt2" ? ReadByteLevel(data) : ReadSentencePiece(data);

    public TokenizerParts ToParts() => new()
    {
        Vocabulary = Model.Vocabulary,
        Model = new BpeModel(Model),
        Added = new AddedVocabulary(Added, Normalizer is { } normalizer ? NormalizerReader.Read(JsonNode.Parse(normalizer)) : null),
        PreTokenizer = PreTokenizer is { } preTokenizer ? PreTokenizerReader.Read(JsonNode.Parse(preTokenizer), takesBytes: true) : null,
        PostProcessor = Frame,
        Decoder = DecoderReader.Read(JsonNode.Parse(Decoder)),
        SpecialIds = SpecialIds,
    };

    private static GgufBpe ReadByteLevel(GgufTokenizerData data)
    {
        GgufPreTokenizer pre = GgufPreTokenizer.Find(data.PreTokenizer);
        IReadOnlyList<string> merges = GgufTokens.Needed(data, "merges", data.Merges);
        Vocabulary vocabulary = GgufTokens.Vocabulary(data);
        return new GgufBpe
        {
            Model = new BpeConfig { Vocabulary = vocabulary, Merges = ReadMerges(merges, vocabulary), IsByteLevel = true, IgnoreMerges = pre.IgnoresMerges },
            Normalizer = pre.Normalizer,
            PreTokenizer = pre.PreTokenizer,
            Decoder = """{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}""",
            Frame = GgufTokens.Frame(data, pre.AddsBos),
            Added = GgufTokens.AddedTokens(data),
            SpecialIds = GgufTokens.SpecialIds(data),
        };
    }

    private static GgufBpe ReadSentencePiece(GgufTokenizerData data)
    {
        IReadOnlyList<float> scores = GgufTokens.Needed(data, "scores", data.Scores);

        // SentencePiece's own numbers stand in for those that the file does not give.
        data = data with
        {
            UnknownTokenId = GgufTokens.OrDefault(data, data.UnknownTokenId, 0),
            BosTokenId = GgufTokens.OrDefault(data, data.BosTokenId, 1),
            EosTokenId = GgufTokens.OrDefault(data, data.EosTokenId, 2),
        };
        bool addsSpace = data.AddSpacePrefix ?? true;
        Vocabulary vocabulary = GgufTokens.Vocabulary(data);
        return new GgufBpe
        {
            Model = new BpeConfig
            {
                Vocabulary = vocabulary,
                Merges = MergesByScore(data, scores, vocabulary),
                HasByteFallback = true,
                UnknownId = data.UnknownTokenId ?? Vocabulary.None,
                FusesUnknown = true,
            },
            Normalizer = addsSpace ? PrependAndSpell : Spell,
            Decoder = Unspell + (addsSpace ? Strip : "") + "]}",
            Frame = GgufTokens.Frame(data, addsBos: true),
            Added = GgufTokens.AddedTokens(data),
            SpecialIds = GgufTokens.SpecialIds(data),
        };
    }

    /// <summary>Reads the merges in order of priority. A merge that makes no token can never show; files have such, and the format's other readers take them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static MergeTable ReadMerges(IReadOnlyList<string> list, Vocabulary vocabulary)
    {
        string[] pairs = list as string[] ?? [.. list];
        MergeTable merges = new(pairs.Length);
        char[] joined = new char[256];
        int rank = 0;
        int merged = Vocabulary.None;
        for (int i = 0; i < pairs.Length; i++)
        {
            string pair = pairs[i];
            // A token may hold a space only in first place, so the space that separates is the first after that.
            int space = pair.Length > 1 ? pair.IndexOf(' ', 1) : -1;
            if (space < 0)
            {
                throw new TokenizerFormatException($"tokenizer.ggml.merges[{i}] '{pair}' lacks the space between two tokens");
            }

            if (pair.Length > joined.Length)
            {
                joined = new char[2 * pair.Length];
            }

            ReadOnlySpan<char> left = pair.AsSpan(0, space);
            ReadOnlySpan<char> right = pair.AsSpan(space + 1);
            left.CopyTo(joined);
            right.CopyTo(joined.AsSpan(space));
            merged = vocabulary.IdOrNone(joined.AsSpan(0, pair.Length - 1), likely: merged + 1);
            if (merged == Vocabulary.None)
            {
                continue;
            }

            int leftId = vocabulary.IdOrNone(left);
            int rightId = vocabulary.IdOrNone(right);
            if (leftId == Vocabulary.None || rightId == Vocabulary.None)
            {
                throw new TokenizerFormatException(
                    $"tokenizer.ggml.merges[{i}] '{pair}' needs '{(leftId == Vocabulary.None ? left : right)}', which is not in the vocabulary");
            }

            merges.Add(leftId, rightId, rank++, merged);
        }

        return merges;
    }

    /// <summary>SentencePiece has no list of merges: any two tokens merge whose texts make a third, the best score first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static MergeTable MergesByScore(GgufTokenizerData data, IReadOnlyList<float> scores, Vocabulary vocabulary)
    {
        int[] ranks = Ranks(scores);
        MergeTable merges = new(data.Tokens.Count);
        for (int id = 0; id < data.Tokens.Count; id++)
        {
            string token = data.Tokens[id];
            if (GgufTokens.TypeOf(data, id) != GgufTokens.Normal || ranks[id] == MergeTable.NoRank)
            {
                continue;
            }

            GgufTokens.CheckLength(data, id);
            for (int cut = 1; cut < token.Length; cut++)
            {
                int left = vocabulary.IdOrNone(token.AsSpan(0, cut));
                int right = left == Vocabulary.None ? left : vocabulary.IdOrNone(token.AsSpan(cut));
                if (right != Vocabulary.None)
                {
                    merges.Add(left, right, ranks[id], id);
                }
            }
        }

        return merges;
    }

    /// <summary>The place of each score when all are sorted, best first; equal scores share one.</summary>
    private static int[] Ranks(IReadOnlyList<float> scores)
    {
        int[] ids = new int[scores.Count];
        float[] keys = new float[ids.Length];
        for (int id = 0; id < ids.Length; id++)
        {
            ids[id] = id;
            keys[id] = float.IsNaN(scores[id]) ? float.PositiveInfinity : -scores[id];
        }

        Array.Sort(keys, ids);
        int[] ranks = new int[ids.Length];
        for (int i = 0, rank = 0; i < ids.Length; i++)
        {
            rank += i > 0 && keys[i] != keys[i - 1] ? 1 : 0;
            ranks[ids[i]] = float.IsFinite(keys[i]) ? rank : MergeTable.NoRank;
        }

        return ranks;
    }
}

using System.Runtime.CompilerServices;
using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Decoders;
using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.Normalizers;
using LoraServe.Tokenization.Patterns;
using LoraServe.Tokenization.PostProcessors;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads what GGUF metadata says about a tokenizer.</summary>
internal static class GgufTokenizer
{
    private const int LongestMerged = 1024;
    private const int Normal = 1;
    private const int Unknown = 2;
    private const int Control = 3;
    private const int UserDefined = 4;

    public static TokenizerParts Read(GgufTokenizerData data)
    {
        try
        {
            CheckCounts(data);
            return data.Model switch
            {
                "gpt2" => CreateByteLevel(data),
                "llama" => CreateSentencePiece(data),
                _ => throw new TokenizerFormatException($"tokenizer.ggml.model '{data.Model}' is not supported; expected 'gpt2' or 'llama'"),
            };
        }
        catch (TokenizerFormatException exception)
        {
            throw new TokenizerFormatException($"{data.Source}: {exception.Message}", exception);
        }
    }

    private static void CheckCounts(GgufTokenizerData data)
    {
        void Check(string key, int? count)
        {
            if (count is { } found && found != data.Tokens.Count)
            {
                throw new TokenizerFormatException($"tokenizer.ggml.{key} has {found} entries; expected {data.Tokens.Count}, one for each token");
            }
        }

        void CheckId(string key, int? id)
        {
            if (id is { } found && (found < 0 || found >= data.Tokens.Count))
            {
                throw new TokenizerFormatException($"tokenizer.ggml.{key} is {found}; expected 0 to {data.Tokens.Count - 1}");
            }
        }

        Check("scores", data.Scores?.Count);
        Check("token_type", data.TokenTypes?.Count);
        CheckId("bos_token_id", data.BosTokenId);
        CheckId("eos_token_id", data.EosTokenId);
        CheckId("unknown_token_id", data.UnknownTokenId);
        CheckId("padding_token_id", data.PaddingTokenId);
    }

    private static TokenizerParts CreateByteLevel(GgufTokenizerData data)
    {
        GgufPreTokenizer pre = GgufPreTokenizer.Find(data.PreTokenizer);
        Vocabulary vocabulary = new(data.Tokens as string[] ?? [.. data.Tokens]);
        if (data.Merges is null)
        {
            throw new TokenizerFormatException("tokenizer.ggml.merges is missing; model 'gpt2' needs it");
        }

        return new TokenizerParts
        {
            Vocabulary = vocabulary,
            Model = new BpeModel(new BpeConfig
            {
                Vocabulary = vocabulary,
                Merges = ReadMerges(data.Merges, vocabulary),
                IsByteLevel = true,
                IgnoreMerges = pre.IgnoresMerges,
            }),
            Added = new AddedVocabulary(AddedTokens(data), pre.Normalizer),
            PreTokenizer = pre.PreTokenizer,
            PostProcessor = Frame(data, pre.AddsBos),
            Decoder = [new ByteLevelDecoder()],
            SpecialIds = SpecialIds(data),
        };
    }

    private static TokenizerParts CreateSentencePiece(GgufTokenizerData data)
    {
        if (data.Scores is null)
        {
            throw new TokenizerFormatException("tokenizer.ggml.scores is missing; model 'llama' needs it");
        }

        // SentencePiece's own numbers stand in for those that the file does not give.
        int? OrDefault(int? id, int otherwise) => id ?? (otherwise < data.Tokens.Count ? otherwise : null);
        data = data with
        {
            UnknownTokenId = OrDefault(data.UnknownTokenId, 0),
            BosTokenId = OrDefault(data.BosTokenId, 1),
            EosTokenId = OrDefault(data.EosTokenId, 2),
        };
        bool addsSpace = data.AddSpacePrefix ?? true;
        Vocabulary vocabulary = new(data.Tokens as string[] ?? [.. data.Tokens]);
        ReplaceNormalizer spell = new(Pattern.Literal(" "), "▁");
        Normalizer normalizer = addsSpace ? new SequenceNormalizer([new PrependNormalizer("▁"), spell]) : spell;
        List<DecoderStep> decoder = [new CharacterDecoder('▁', ' ', dropsInFirst: false), new ByteFallbackDecoder(), new FuseDecoder()];
        if (addsSpace)
        {
            decoder.Add(new StripDecoder(' ', 1, 0));
        }

        return new TokenizerParts
        {
            Vocabulary = vocabulary,
            Model = new BpeModel(new BpeConfig
            {
                Vocabulary = vocabulary,
                Merges = MergesByScore(data, vocabulary),
                HasByteFallback = true,
                UnknownId = data.UnknownTokenId ?? Vocabulary.None,
                FusesUnknown = true,
            }),
            Added = new AddedVocabulary(AddedTokens(data), normalizer),
            PostProcessor = Frame(data, addsBos: true),
            Decoder = decoder,
            SpecialIds = SpecialIds(data),
        };
    }

    private static FramePostProcessor Frame(GgufTokenizerData data, bool addsBos)
    {
        List<AddedToken> before = [];
        List<AddedToken> after = [];
        if ((data.AddBosToken ?? addsBos) && data.BosTokenId is { } bos)
        {
            before.Add(new AddedToken(bos, data.Tokens[bos]));
        }

        if ((data.AddEosToken ?? false) && data.EosTokenId is { } eos)
        {
            after.Add(new AddedToken(eos, data.Tokens[eos]));
        }

        return new FramePostProcessor(before, after);
    }

    private static SpecialTokenIds SpecialIds(GgufTokenizerData data) =>
        new(data.BosTokenId, data.EosTokenId, data.UnknownTokenId, data.PaddingTokenId);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static List<AddedToken> AddedTokens(GgufTokenizerData data)
    {
        List<AddedToken> tokens = [];
        int[] types = data.TokenTypes is null ? [] : data.TokenTypes as int[] ?? [.. data.TokenTypes];
        for (int id = 0; id < types.Length; id++)
        {
            if (types[id] is Unknown or Control or UserDefined)
            {
                tokens.Add(new AddedToken(id, data.Tokens[id], IsSpecial: types[id] != UserDefined));
            }
        }

        return tokens;
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
    private static MergeTable MergesByScore(GgufTokenizerData data, Vocabulary vocabulary)
    {
        int[] ranks = Ranks(data.Scores!);
        MergeTable merges = new(data.Tokens.Count);
        for (int id = 0; id < data.Tokens.Count; id++)
        {
            string token = data.Tokens[id];
            if ((data.TokenTypes?[id] ?? Normal) != Normal || ranks[id] == MergeTable.NoRank)
            {
                continue;
            }

            if (token.Length > LongestMerged)
            {
                throw new TokenizerFormatException($"token {id} has {token.Length} characters; expected at most {LongestMerged}");
            }

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

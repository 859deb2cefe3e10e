using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Decoders;
using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.Normalizers;
using LoraServe.Tokenization.Patterns;
using LoraServe.Tokenization.PostProcessors;

namespace LoraServe.Tokenization.Files;

/// <summary>Builds a tokenizer from what GGUF metadata says.</summary>
internal static class GgufTokenizer
{
    private const int Normal = 1;
    private const int Unknown = 2;
    private const int Control = 3;
    private const int UserDefined = 4;

    public static Tokenizer Create(GgufTokenizerData data)
    {
        try
        {
            CheckCounts(data);
            return new Tokenizer(data.Model switch
            {
                "gpt2" => CreateByteLevel(data),
                "llama" => CreateSentencePiece(data),
                _ => throw new TokenizerFormatException($"tokenizer.ggml.model '{data.Model}' is not supported; expected 'gpt2' or 'llama'"),
            });
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
        Vocabulary vocabulary = CreateVocabulary(data);
        if (data.Merges is null)
        {
            throw new TokenizerFormatException("tokenizer.ggml.merges is missing; model 'gpt2' needs it");
        }

        return CreateParts(data, pre.AddsBos) with
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
            Decoder = [new ByteLevelDecoder()],
        };
    }

    private static TokenizerParts CreateSentencePiece(GgufTokenizerData data)
    {
        if (data.Scores is null)
        {
            throw new TokenizerFormatException("tokenizer.ggml.scores is missing; model 'llama' needs it");
        }

        bool addsSpace = data.AddSpacePrefix ?? true;
        Vocabulary vocabulary = CreateVocabulary(data);
        ReplaceNormalizer spell = new(Pattern.Literal(" "), "▁");
        Normalizer normalizer = addsSpace ? new SequenceNormalizer([new PrependNormalizer("▁"), spell]) : spell;
        List<DecoderStep> decoder = [new CharacterDecoder('▁', ' ', dropsInFirst: false), new ByteFallbackDecoder(), new FuseDecoder()];
        if (addsSpace)
        {
            decoder.Add(new StripDecoder(' ', 1, 0));
        }

        return CreateParts(data, addsBos: true) with
        {
            Vocabulary = vocabulary,
            Model = new BpeModel(new BpeConfig
            {
                Vocabulary = vocabulary,
                Merges = MergesByScore(data, vocabulary),
                HasByteFallback = true,
                UnknownId = data.UnknownTokenId ?? 0,
                FusesUnknown = true,
            }),
            Added = new AddedVocabulary(AddedTokens(data), normalizer),
            Decoder = decoder,
        };
    }

    /// <summary>The parts that do not depend on the model; the others are filled in by it.</summary>
    private static TokenizerParts CreateParts(GgufTokenizerData data, bool addsBos)
    {
        List<(int, string)> before = [];
        List<(int, string)> after = [];
        if ((data.AddBosToken ?? addsBos) && data.BosTokenId is { } bos)
        {
            before.Add((bos, data.Tokens[bos]));
        }

        if ((data.AddEosToken ?? false) && data.EosTokenId is { } eos)
        {
            after.Add((eos, data.Tokens[eos]));
        }

        return new TokenizerParts
        {
            Vocabulary = null!,
            Model = null!,
            Added = null!,
            Decoder = [],
            PostProcessor = new FramePostProcessor(before, after),
            SpecialIds = new SpecialTokenIds(data.BosTokenId, data.EosTokenId, data.UnknownTokenId, data.PaddingTokenId),
        };
    }

    private static Vocabulary CreateVocabulary(GgufTokenizerData data)
    {
        Dictionary<string, int> ids = new(data.Tokens.Count);
        for (int id = 0; id < data.Tokens.Count; id++)
        {
            ids.TryAdd(data.Tokens[id], id);
        }

        return new Vocabulary(ids);
    }

    private static IEnumerable<AddedToken> AddedTokens(GgufTokenizerData data)
    {
        for (int id = 0; data.TokenTypes is not null && id < data.Tokens.Count; id++)
        {
            if (data.TokenTypes[id] is Unknown or Control or UserDefined)
            {
                yield return new AddedToken(id, data.Tokens[id], IsSpecial: data.TokenTypes[id] != UserDefined);
            }
        }
    }

    /// <summary>Reads the merges in order of priority. A merge that makes no token can never show; files have such, and the format's other readers take them.</summary>
    private static List<Merge> ReadMerges(IReadOnlyList<string> pairs, Vocabulary vocabulary)
    {
        List<Merge> merges = new(pairs.Count);
        foreach (string pair in pairs)
        {
            // A token may hold a space only in first place, so the space that separates is the first after that.
            int space = pair.Length > 1 ? pair.IndexOf(' ', 1) : -1;
            if (space < 0)
            {
                throw new TokenizerFormatException($"tokenizer.ggml.merges[{merges.Count}] '{pair}' lacks the space between two tokens");
            }

            string left = pair[..space];
            string right = pair[(space + 1)..];
            int Id(string token) => vocabulary.IdOrNone(token) is var id && id != Vocabulary.None
                ? id
                : throw new TokenizerFormatException($"tokenizer.ggml.merges[{merges.Count}] '{pair}' needs '{token}', which is not in the vocabulary");
            int merged = vocabulary.IdOrNone(left + right);
            if (merged != Vocabulary.None)
            {
                merges.Add(new Merge(Id(left), Id(right), merges.Count, merged));
            }
        }

        return merges;
    }

    /// <summary>SentencePiece has no list of merges: any two tokens merge whose texts make a third, the best score first.</summary>
    private static List<Merge> MergesByScore(GgufTokenizerData data, Vocabulary vocabulary)
    {
        float[] scores = [.. data.Scores!.Where(float.IsFinite).Distinct().OrderDescending()];
        Dictionary<float, int> ranks = scores.Select((score, rank) => (score, rank)).ToDictionary(pair => pair.score, pair => pair.rank);
        List<Merge> merges = [];
        for (int id = 0; id < data.Tokens.Count; id++)
        {
            string token = data.Tokens[id];
            if ((data.TokenTypes?[id] ?? Normal) != Normal || !ranks.TryGetValue(data.Scores![id], out int rank))
            {
                continue;
            }

            if (token.Length > 1024)
            {
                throw new TokenizerFormatException($"token {id} has {token.Length} characters; expected at most 1024");
            }

            for (int cut = 1; cut < token.Length; cut++)
            {
                int left = vocabulary.IdOrNone(token[..cut]);
                int right = vocabulary.IdOrNone(token[cut..]);
                if (left != Vocabulary.None && right != Vocabulary.None)
                {
                    merges.Add(new Merge(left, right, rank, id));
                }
            }
        }

        return merges;
    }
}

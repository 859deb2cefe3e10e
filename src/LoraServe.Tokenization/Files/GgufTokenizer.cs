namespace LoraServe.Tokenization.Files;

/// <summary>Reads what GGUF metadata says about a tokenizer.</summary>
internal static class GgufTokenizer
{
    public static TokenizerParts Read(GgufTokenizerData data) => Naming(data, () =>
    {
        CheckCounts(data);
        return data.Model switch
        {
            "gpt2" or "llama" => GgufBpe.Read(data).ToParts(),
            "t5" => GgufUnigram.Read(data),
            "bert" => GgufWordPiece.Read(data),
            _ => throw new TokenizerFormatException($"tokenizer.ggml.model '{data.Model}' is not supported; expected 'gpt2', 'llama', 't5' or 'bert'"),
        };
    });

    /// <summary>What a tokenizer.json would say of a byte-pair model.</summary>
    public static GgufBpe Describe(GgufTokenizerData data) => Naming(data, () =>
    {
        CheckCounts(data);
        return GgufBpe.Read(data);
    });

    private static T Naming<T>(GgufTokenizerData data, Func<T> read)
    {
        try
        {
            return read();
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
        CheckId("separator_token_id", data.SeparatorTokenId);
    }
}

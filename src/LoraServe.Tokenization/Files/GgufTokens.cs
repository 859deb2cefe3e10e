using System.Runtime.CompilerServices;
using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.PostProcessors;

namespace LoraServe.Tokenization.Files;

/// <summary>What GGUF metadata says of tokens, whatever the model: kinds, parts to play, and what is put around a text.</summary>
internal static class GgufTokens
{
    public const int Normal = 1;
    public const int Unknown = 2;
    public const int Control = 3;
    public const int UserDefined = 4;
    public const int Unused = 5;

    public static int TypeOf(GgufTokenizerData data, int id) => data.TokenTypes?[id] ?? Normal;

    /// <summary>Refuses metadata without what the model needs.</summary>
    public static T Needed<T>(GgufTokenizerData data, string key, T? value)
        where T : class => value ?? throw new TokenizerFormatException($"tokenizer.ggml.{key} is missing; model '{data.Model}' needs it");

    /// <summary>Refuses a token that is longer than any model has, since each character of a text would cost as many steps.</summary>
    public static void CheckLength(GgufTokenizerData data, int id)
    {
        if (data.Tokens[id].Length > TokenTrie.LongestToken)
        {
            throw new TokenizerFormatException($"token {id} has {data.Tokens[id].Length} characters; expected at most {TokenTrie.LongestToken}");
        }
    }

    public static Vocabulary Vocabulary(GgufTokenizerData data) => new(data.Tokens as string[] ?? [.. data.Tokens]);

    /// <summary>An id, or what stands in for one that the file does not give, where there is such a token.</summary>
    public static int? OrDefault(GgufTokenizerData data, int? id, int otherwise) => id ?? (otherwise < data.Tokens.Count ? otherwise : null);

    public static FramePostProcessor Frame(GgufTokenizerData data, bool addsBos, bool addsEos = false) =>
        new(Tokens(data, data.AddBosToken ?? addsBos, data.BosTokenId), Tokens(data, data.AddEosToken ?? addsEos, data.EosTokenId));

    public static AddedToken[] Tokens(GgufTokenizerData data, bool isPut, int? id) => isPut && id is { } token ? [new AddedToken(token, data.Tokens[token])] : [];

    public static SpecialTokenIds SpecialIds(GgufTokenizerData data) =>
        new(data.BosTokenId, data.EosTokenId, data.UnknownTokenId, data.PaddingTokenId);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static List<AddedToken> AddedTokens(GgufTokenizerData data)
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
}

using LoraServe.Grammars;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Sampling;

/// <summary><see cref="SamplingOptions"/> checked against a model and laid out for sampling.</summary>
internal sealed class SamplingPlan
{
    private readonly int[] _endTokens;

    public SamplingPlan(SamplingOptions options, IEnumerable<int> modelEndTokens, int vocabularySize, ulong seed, int maxTokens, CompiledGrammar? grammar = null)
    {
        Options = options;
        Seed = seed;
        MaxTokens = maxTokens;
        Grammar = grammar;
        _endTokens = [.. options.StopTokenIds.Concat(options.IgnoreEndToken ? [] : modelEndTokens).Where(id => id < vocabularySize).Distinct()];
        Bias = [.. options.LogitBias.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value))];
        AdjustsLogits = Bias.Length > 0 || grammar is not null || _endTokens.Length > 0 && options.MinTokens > 0
            || options.RepetitionPenalty != 1 || options.PresencePenalty != 0 || options.FrequencyPenalty != 0;
    }

    public SamplingOptions Options { get; }

    public ulong Seed { get; }

    /// <summary>Most tokens, context and cache considered.</summary>
    public int MaxTokens { get; }

    /// <summary>What texts an answer may be; null for any.</summary>
    public CompiledGrammar? Grammar { get; }

    public (int Token, float Bias)[] Bias { get; }

    /// <summary>Whether anything changes logits before the choice.</summary>
    public bool AdjustsLogits { get; }

    /// <summary>Tokens after which a choice ends.</summary>
    public ReadOnlySpan<int> EndTokens => _endTokens;

    /// <summary>Whether a choice ends with this token.</summary>
    public bool IsEnd(int token) => Array.IndexOf(_endTokens, token) >= 0;
}

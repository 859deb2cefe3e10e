using LoraServe.Grammars;

namespace LoraServe.Serving.Sampling;

/// <summary>What is known of an answer when its next token is chosen.</summary>
internal interface IAnswer
{
    /// <summary>How its tokens are chosen.</summary>
    SamplingPlan Sampling { get; }

    /// <summary>Where it has come to in its grammar; null where its text is free.</summary>
    GrammarMatcher? Matcher { get; }

    /// <summary>Which of a request's answers it is.</summary>
    int Choice { get; }

    /// <summary>Virtual rows, prompt, and the answer so far.</summary>
    ReadOnlySpan<int> Tokens { get; }

    /// <summary>Leading tokens that stand for rows of its adapters: nobody said them.</summary>
    int VirtualRows { get; }

    /// <summary>Tokens before the answer, virtual rows included.</summary>
    int PromptLength { get; }

    /// <summary>Tokens of the answer so far.</summary>
    int GeneratedCount { get; }
}

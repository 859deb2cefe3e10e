using LoraServe.Serving.Sampling;

namespace LoraServe.Serving.Scheduling;

/// <summary>A prompt to continue.</summary>
internal sealed class GenerationSubmission : Submission
{
    private readonly ITextCodec? _codec;
    private readonly IReadOnlySet<int> _visible;

    /// <param name="terms">What is fixed of it.</param>
    /// <param name="prompt">The prompt, without virtual rows.</param>
    /// <param name="sampling">How its tokens are chosen.</param>
    /// <param name="codec">Makes text of them; null where there is none.</param>
    /// <param name="visible">Special tokens that have text all the same.</param>
    /// <param name="echo">The prompt's text, where it is given back in front of each answer.</param>
    public GenerationSubmission(SubmissionTerms terms, int[] prompt, SamplingPlan sampling, ITextCodec? codec, IReadOnlySet<int> visible, string? echo)
        : base(terms)
    {
        _codec = codec;
        _visible = visible;
        EchoedText = echo;
        Scores = echo is not null && sampling.Options.LogProbabilities is { } top ? new PromptScores(prompt, top) : null;
        Sampling = sampling;
        PromptLength = prompt.Length;
        Stream = new TokenStream((long)sampling.MaxTokens * sampling.Options.Choices);
        Add(new GenerationSequence(this, Adapters.WithVirtualRows(prompt)));
    }

    public SamplingPlan Sampling { get; }

    /// <summary>The prompt's text, where it is given back in front of each answer.</summary>
    public string? EchoedText { get; }

    /// <summary>How likely the prompt's tokens are, where that is asked for.</summary>
    public PromptScores? Scores { get; }

    /// <summary>Tokens of the prompt, without virtual rows.</summary>
    public int PromptLength { get; }

    public TokenStream Stream { get; }

    public AnswerText? CreateText() => _codec is null ? null : new AnswerText(_codec.CreateDecoder(_visible), Sampling.Options.Stop);

    public override void Complete() => Stream.Complete();

    public override void Fail(Exception failure) => Stream.Complete(failure);
}

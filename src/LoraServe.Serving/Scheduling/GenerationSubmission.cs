using LoraServe.Serving.Sampling;

namespace LoraServe.Serving.Scheduling;

/// <summary>A prompt to continue.</summary>
internal sealed class GenerationSubmission : Submission
{
    private readonly ITextCodec? _codec;
    private readonly string _echo;

    /// <param name="terms">What is fixed of it.</param>
    /// <param name="prompt">The prompt, without virtual rows.</param>
    /// <param name="sampling">How its tokens are chosen.</param>
    /// <param name="codec">Makes text of them; null where there is none.</param>
    /// <param name="echo">Text that comes before each answer.</param>
    public GenerationSubmission(SubmissionTerms terms, int[] prompt, SamplingPlan sampling, ITextCodec? codec, string echo)
        : base(terms)
    {
        _codec = codec;
        _echo = echo;
        Sampling = sampling;
        PromptLength = prompt.Length;
        Stream = new TokenStream((long)sampling.MaxTokens * sampling.Options.Choices);
        Add(new GenerationSequence(this, Adapters.WithVirtualRows(prompt)));
    }

    public SamplingPlan Sampling { get; }

    /// <summary>Tokens of the prompt, without virtual rows.</summary>
    public int PromptLength { get; }

    public TokenStream Stream { get; }

    public AnswerText? CreateText() => _codec is null ? null : new AnswerText(_codec.CreateDecoder(), Sampling.Options.Stop, _echo);

    public override void Complete() => Stream.Complete();

    public override void Fail(Exception failure) => Stream.Complete(failure);
}

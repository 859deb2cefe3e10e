using LoraServe.Serving.Sampling;
using LoraServe.Serving.Store;

namespace LoraServe.Serving.Scheduling;

/// <summary>A prompt to continue.</summary>
internal sealed class GenerationSubmission(
    GenerationRequest request, AdapterStack adapters, long arrivedAt, SamplingPlan sampling, int promptLength, ITextCodec? codec, string echo)
    : Submission(request, adapters, arrivedAt)
{
    public SamplingPlan Sampling { get; } = sampling;

    /// <summary>Tokens of the prompt, without virtual rows.</summary>
    public int PromptLength { get; } = promptLength;

    public TokenStream Stream { get; } = new((long)sampling.MaxTokens * sampling.Options.Choices);

    public AnswerText? CreateText() => codec is null ? null : new AnswerText(codec.CreateDecoder(), Sampling.Options.Stop, echo);

    public override void Complete() => Stream.Complete();

    public override void Fail(Exception failure) => Stream.Complete(failure);
}

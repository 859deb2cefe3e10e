using LoraServe.Grammars;
using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Sampling;

namespace LoraServe.Serving.Scheduling;

/// <summary>A prompt being continued: one answer, or several until they part after the prompt.</summary>
internal sealed class GenerationSequence : Sequence, IAnswer
{
    private readonly GenerationSubmission _owner;
    private readonly AnswerText? _text;

    /// <summary>The sequence of all answers, which share the prompt.</summary>
    public GenerationSequence(GenerationSubmission owner, int[] prompt)
        : this(owner, Room(owner, prompt), prompt.Length, prompt.Length, choice: 0, places: owner.Sampling.Options.Choices)
    {
    }

    private GenerationSequence(GenerationSubmission owner, int[] tokens, int count, int promptLength, int choice, int places)
        : base(owner, tokens, count, promptLength)
    {
        _owner = owner;
        _text = owner.CreateText();
        Matcher = owner.Sampling.Grammar?.CreateMatcher();
        Choice = choice;
        UnforkedChoices = places;
    }

    /// <summary>Which answer this is.</summary>
    public int Choice { get; }

    public SamplingPlan Sampling => _owner.Sampling;

    public GrammarMatcher? Matcher { get; }

    /// <summary>Tokens of the answer so far.</summary>
    public int GeneratedCount => TokenCount - PromptLength;

    /// <summary>Answers that have not parted from this one yet, this included.</summary>
    public int UnforkedChoices { get; private set; }

    public override int Places => UnforkedChoices;

    // Where the prompt is scored, something is wanted of every row but those that stand ahead of it.
    public override int ReusableTokens => Unscored is null ? TokenCount - 1 : VirtualRows;

    /// <summary>Timestamp of the first token; 0 before.</summary>
    public long FirstTokenAt { get; set; }

    // Answers part only after the prompt, when nothing of it is unscored.
    private PromptScores? Unscored => _owner.Scores is { IsComplete: false } scores ? scores : null;

    public override Chunk NextChunk(int rows, int logitRows)
    {
        if (Unscored is not null)
        {
            return Chunk.Scored(rows, logitRows, VirtualRows - CachedTokens, PendingTokens);
        }

        if (rows < PendingTokens || Sampling.MaxTokens == 0)
        {
            return new Chunk(Math.Min(rows, PendingTokens), SegmentOutput.None);
        }

        return logitRows > 0 ? new Chunk(PendingTokens, SegmentOutput.LastLogits) : new Chunk(PendingTokens - 1, SegmentOutput.None);
    }

    /// <summary>Has its next token chosen where all known ones are computed; whether that was the last, <see cref="Accept"/> says.</summary>
    public override bool Take(in StepResult result)
    {
        if (result.OutputCount > 0)
        {
            Unscored?.Take(result.FirstPosition - VirtualRows, result.Logits.Read(result.FirstOutput, result.OutputCount), result.Scratch);
        }

        if (Sampling.MaxTokens == 0)
        {
            return PendingTokens == 0;
        }

        if (result.OutputCount > 0 && PendingTokens == 0)
        {
            result.Choices.Add((this, result.FirstOutput + result.OutputCount - 1));
        }

        return false;
    }

    /// <summary>Another answer that goes on from the same prompt.</summary>
    public GenerationSequence Fork(int choice)
    {
        UnforkedChoices = 1;
        return new GenerationSequence(_owner, Room(_owner, Tokens.ToArray()), TokenCount, PromptLength, choice, places: 1);
    }

    /// <summary>Takes the next token and hands it on; says whether the answer ends with it.</summary>
    public FinishReason Accept(in SampleSlot slot)
    {
        Append(slot.Token);
        FinishReason finish = Sampling.IsEnd(slot.Token) ? FinishReason.Stop : FinishReason.None;
        if (_text is not null && finish == FinishReason.None && _text.Append(slot.Token))
        {
            finish = FinishReason.Stop;
        }

        // A token that was chosen by the mask is one that the matcher takes.
        if (finish == FinishReason.None && Matcher is { } matcher && matcher.TryAccept(slot.Token) && matcher.IsComplete)
        {
            finish = FinishReason.Stop;
        }

        if (finish == FinishReason.None && GeneratedCount >= Sampling.MaxTokens)
        {
            finish = FinishReason.Length;
        }

        if (finish != FinishReason.None && _text is { } last && !last.IsStopped)
        {
            last.Flush();
        }

        _owner.Stream.Write(new TokenStream.Item(Choice, slot.Token, slot.LogProbability, slot.Top, finish), _text is null ? [] : _text.Certain);
        _text?.Take();
        return finish;
    }

    /// <summary>Lets the reader see what was handed on.</summary>
    public void Signal() => _owner.Stream.Signal();

    private static int[] Room(GenerationSubmission owner, int[] tokens)
    {
        Array.Resize(ref tokens, owner.Adapters.VirtualRows + owner.PromptLength + owner.Sampling.MaxTokens);
        return tokens;
    }
}

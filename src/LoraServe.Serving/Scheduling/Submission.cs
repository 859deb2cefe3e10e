using LoraServe.Serving.Cache;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Scheduling;

/// <summary>A request that the engine took: its sequences, its adapters and where its answer goes. Whole when it is made; what changes is in <see cref="State"/>.</summary>
internal abstract class Submission(SubmissionTerms terms)
{
    private readonly List<Sequence> _sequences = [];

    public RequestOptions Options => terms.Options;

    public string Id => terms.Options.RequestId;

    /// <summary>The exact versions that it runs on.</summary>
    public AdapterStack Adapters => terms.Adapters;

    /// <summary>First position that each adapter acts on.</summary>
    public int[] ActiveFrom => terms.ActiveFrom;

    /// <summary>What its adapters are called in metrics.</summary>
    public AdapterLabel AdapterLabel => terms.AdapterLabel;

    /// <summary>Timestamp of its arrival.</summary>
    public long ArrivedAt => terms.ArrivedAt;

    /// <summary>Its caller's wish to give up.</summary>
    public CancellationToken Cancellation => terms.Cancellation;

    /// <summary>What puts requests for the same adapters side by side in a step.</summary>
    public UInt128 StackSalt => terms.Salts.Stack;

    /// <summary>How far it has come: the loop's alone.</summary>
    public SubmissionState State { get; } = new();

    /// <summary>Its sequences; answers that part from the first come behind it.</summary>
    public IReadOnlyList<Sequence> Sequences => _sequences;

    /// <summary>Tokens that it was given, without virtual rows.</summary>
    public int PromptTokens => _sequences.Sum(sequence => sequence.PromptLength - sequence.VirtualRows);

    /// <summary>Adds a sequence: while it is made, or on the loop's thread.</summary>
    public void Add(Sequence sequence) => _sequences.Add(sequence);

    /// <summary>Notes that one of its sequences is complete; true when it was the last.</summary>
    public bool EndSequence() => ++State.EndedSequences == _sequences.Count;

    /// <summary>Length beyond which all keys of a sequence are turned in another way.</summary>
    public int TurnsAnewBeyond => terms.TurnsAnewBeyond;

    /// <summary>What its pages are keyed by besides tokens.</summary>
    public PageSalts Salts => terms.Salts;

    /// <summary>The same of a pass before the one that answers; null: there is none.</summary>
    public PageSalts? ScoutSalts => terms.ScoutSalts;

    /// <summary>The salt of a page for the prefix cache.</summary>
    /// <param name="salts">Those of its pass.</param>
    /// <param name="endPosition">Position after the page's last.</param>
    /// <param name="promptLength">Length by which the keys of the page's sequence are turned: that of its prompt or beyond.</param>
    public UInt128 SaltAt(PageSalts salts, int endPosition, int promptLength)
    {
        // Adding a length to what is random bits keeps different things different. Where a rope changes only once, all lengths beyond are one.
        UInt128 salt = salts.At(endPosition);
        return promptLength <= terms.LengthFreeContext ? salt : salt + (UInt128)(terms.TurnsAnewBeyond < int.MaxValue ? 1 : promptLength);
    }

    /// <summary>Ends it well.</summary>
    public abstract void Complete();

    /// <summary>Ends it with a failure.</summary>
    public abstract void Fail(Exception failure);
}

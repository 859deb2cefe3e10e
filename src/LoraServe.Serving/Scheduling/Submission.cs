using LoraServe.Models.Forward;
using LoraServe.Serving.Cache;
using LoraServe.Serving.Store;

namespace LoraServe.Serving.Scheduling;

/// <summary>A request that the engine took: its sequences, its adapters and where its answer goes.</summary>
internal abstract class Submission(RequestOptions options, AdapterStack adapters, long arrivedAt)
{
    private readonly List<Sequence> _sequences = [];
    private int _endedSequences;

    public RequestOptions Options { get; } = options;

    public string Id => Options.RequestId;

    /// <summary>The exact versions that it runs on.</summary>
    public AdapterStack Adapters { get; } = adapters;

    /// <summary>Timestamp of its arrival.</summary>
    public long ArrivedAt { get; } = arrivedAt;

    public IReadOnlyList<Sequence> Sequences => _sequences;

    /// <summary>Whether its adapters are held resident for it.</summary>
    public bool IsLeased { get; set; }

    /// <summary>The leases' generation when it last asked for its adapters and did not get them; −1 before.</summary>
    public long RefusedAt { get; set; } = -1;

    /// <summary>Whether it was overdue when it last asked for its adapters.</summary>
    public bool IsOverdue { get; set; }

    /// <summary>Whether it still counts as waiting.</summary>
    public bool IsQueued { get; set; } = true;

    /// <summary>Whether all is over: answered, failed or cancelled.</summary>
    public bool IsEnded { get; set; }

    /// <summary>Its tenant's share of the engine; set when it is queued.</summary>
    public Tenant Tenant { get; set; } = null!;

    /// <summary>Prompt tokens found in the prefix cache.</summary>
    public int CachedPromptTokens { get; set; }

    /// <summary>How the adapters act, once they are resident.</summary>
    public AdapterUse[] Uses { get; set; } = [];

    /// <summary>Its caller's wish to give up.</summary>
    public CancellationTokenRegistration Cancellation { get; set; }

    /// <summary>What its adapters are called in metrics.</summary>
    public AdapterLabel? AdapterLabel { get; set; }

    /// <summary>Tokens generated, over all its answers.</summary>
    public int GeneratedTokens { get; set; }

    public void Add(Sequence sequence) => _sequences.Add(sequence);

    /// <summary>Notes that one of its sequences is complete; true when it was the last.</summary>
    public bool EndSequence() => ++_endedSequences == _sequences.Count;

    /// <summary>The salt of a page for the prefix cache.</summary>
    /// <param name="endPosition">Position after the page's last.</param>
    /// <param name="promptLength">Length of the prompt that the page belongs to.</param>
    public UInt128 SaltAt(int endPosition, int promptLength)
    {
        // Adding a length to what is random bits keeps different things different.
        UInt128 salt = endPosition <= Salts.SharedUntil ? Salts.Before : Salts.After;
        return promptLength > LengthFreeContext ? salt + (UInt128)promptLength : salt;
    }

    /// <summary>Longest prompt whose keys do not depend on its length; those of a rope that stretches with the sequence do beyond it.</summary>
    public int LengthFreeContext { get; set; } = int.MaxValue;

    /// <summary>First position that each adapter acts on.</summary>
    public int[] ActiveFrom { get; set; } = [];

    /// <summary>What pages are keyed by besides tokens.</summary>
    public PageSalts Salts { get; set; }

    /// <summary>Ends it well.</summary>
    public abstract void Complete();

    /// <summary>Ends it with a failure.</summary>
    public abstract void Fail(Exception failure);
}

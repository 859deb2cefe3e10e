using LoraServe.Models.Forward;

namespace LoraServe.Serving.Scheduling;

/// <summary>How far a request has come. Owned by the loop's thread, and by nobody before the loop has it.</summary>
internal sealed class SubmissionState
{
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

    /// <summary>How the adapters act, once they are resident.</summary>
    public AdapterUse[] Uses { get; set; } = [];

    /// <summary>Hears its caller give up.</summary>
    public CancellationTokenRegistration Cancellation { get; set; }

    /// <summary>Prompt tokens found in the prefix cache.</summary>
    public int CachedPromptTokens { get; set; }

    /// <summary>Tokens generated, over all its answers.</summary>
    public int GeneratedTokens { get; set; }

    /// <summary>Its sequences that are complete.</summary>
    public int EndedSequences { get; set; }
}

namespace LoraServe.Serving.Metrics;

/// <summary>Names of the instruments; units and meanings are with each instrument.</summary>
public static class EngineMetrics
{
    /// <summary>The meter of all instruments. Its scope is the engine, of which there can be several in a process.</summary>
    public const string MeterName = "LoraServe.Serving";

    /// <summary>Requests that wait.</summary>
    public const string QueuedRequests = "loraserve.engine.requests.queued";

    /// <summary>Sequences that take part in steps.</summary>
    public const string RunningSequences = "loraserve.engine.sequences.running";

    /// <summary>Requests that ended, by <c>outcome</c> and <c>adapter</c> (an <see cref="AdapterLabel"/>, here and below).</summary>
    public const string Requests = "loraserve.engine.requests";

    /// <summary>Prompt tokens computed, by <c>adapter</c>.</summary>
    public const string PromptTokens = "loraserve.engine.tokens.prompt";

    /// <summary>Tokens generated, by <c>adapter</c>.</summary>
    public const string GeneratedTokens = "loraserve.engine.tokens.generated";

    /// <summary>Prompt tokens found in the prefix cache.</summary>
    public const string PrefixHitTokens = "loraserve.engine.prefix_cache.hit_tokens";

    /// <summary>Seconds from a request's arrival to its first token.</summary>
    public const string TimeToFirstToken = "loraserve.engine.time_to_first_token";

    /// <summary>Seconds per token after the first.</summary>
    public const string TimePerOutputToken = "loraserve.engine.time_per_output_token";

    /// <summary>Seconds that requests waited before they ran.</summary>
    public const string QueueDuration = "loraserve.engine.queue.duration";

    /// <summary>Seconds of one step.</summary>
    public const string StepDuration = "loraserve.engine.step.duration";

    /// <summary>Token rows of one step.</summary>
    public const string StepRows = "loraserve.engine.step.rows";

    /// <summary>Steps that failed.</summary>
    public const string StepFailures = "loraserve.engine.step.failures";

    /// <summary>Sequences whose pages were taken and that are computed again.</summary>
    public const string Preemptions = "loraserve.engine.preemptions";

    /// <summary>Key/value pages by <c>state</c>: used, cached or free.</summary>
    public const string KvPages = "loraserve.kv.pages";

    /// <summary>Uses of adapters by the <c>tier</c> in which they were found.</summary>
    public const string AdapterHits = "loraserve.adapters.hits";

    /// <summary>Loads of adapters into resident form, by <c>tier</c> they came from.</summary>
    public const string AdapterLoads = "loraserve.adapters.loads";

    /// <summary>Seconds of a load, by <c>tier</c> it came from.</summary>
    public const string AdapterLoadDuration = "loraserve.adapters.load.duration";

    /// <summary>Loads that failed.</summary>
    public const string AdapterLoadFailures = "loraserve.adapters.load.failures";

    /// <summary>Resident adapters dropped to make room.</summary>
    public const string AdapterEvictions = "loraserve.adapters.evictions";

    /// <summary>Bytes of adapters by <c>tier</c>.</summary>
    public const string AdapterBytes = "loraserve.adapters.bytes";

    /// <summary>The memory set aside for resident adapters, in bytes.</summary>
    public const string AdapterBudget = "loraserve.adapters.budget";

    /// <summary>Adapter versions by <c>tier</c>.</summary>
    public const string AdapterCount = "loraserve.adapters.versions";
}

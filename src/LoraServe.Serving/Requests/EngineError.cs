namespace LoraServe.Serving.Requests;

/// <summary>Every way in which the engine refuses or fails; servers map each to a status code.</summary>
public enum EngineError
{
    /// <summary>A field of the request is missing, contradicts another or is out of range.</summary>
    InvalidRequest,

    /// <summary>A sampling option is not a number or out of range.</summary>
    InvalidSampling,

    /// <summary>The prompt has no tokens.</summary>
    EmptyPrompt,

    /// <summary>The prompt does not fit into the context or the key/value cache.</summary>
    PromptTooLong,

    /// <summary>A name of an adapter or alias has forbidden characters or length.</summary>
    InvalidAdapterName,

    /// <summary>No adapter, version or alias has that name.</summary>
    UnknownAdapter,

    /// <summary>No training job has that id, or it is another tenant's.</summary>
    UnknownJob,

    /// <summary>No uploaded rows have that id, or they are another tenant's.</summary>
    UnknownUpload,

    /// <summary>The name is taken, and the caller asked for a new one.</summary>
    AdapterExists,

    /// <summary>The latest version is not the one that the caller expected.</summary>
    VersionConflict,

    /// <summary>The adapter's files are damaged, unsupported or made for another base.</summary>
    AdapterRefused,

    /// <summary>The adapter, or the stack of a request, is larger than the memory set aside for adapters.</summary>
    AdapterTooLarge,

    /// <summary>An adapter's files could not be read when they were needed.</summary>
    AdapterUnavailable,

    /// <summary>It is not known who calls: no key came, several did, or one that nobody has.</summary>
    Unauthenticated,

    /// <summary>The caller may not do this: it is an administrator's to do, or concerns what belongs to somebody else.</summary>
    PermissionDenied,

    /// <summary>The store's folder cannot be written, or another server has it. Nothing was changed.</summary>
    StorageFailed,

    /// <summary>A path leaves the adapter root, or there is no root.</summary>
    PathRefused,

    /// <summary>An upload is incomplete, too large or has files that do not belong to an adapter.</summary>
    InvalidUpload,

    /// <summary>The waiting queue is full; <see cref="EngineException.RetryAfter"/> says when to come back.</summary>
    QueueFull,

    /// <summary>The request's deadline passed before it was done.</summary>
    DeadlineExceeded,

    /// <summary>The engine is stopping and takes nothing new.</summary>
    ShuttingDown,

    /// <summary>The model or a step of the engine failed; only the requests that it concerned get this.</summary>
    StepFailed,

    /// <summary>The model lacks what the request needs, such as a tokenizer for text.</summary>
    Unsupported,
}

using System.Text.Json.Serialization;

namespace LoraServe.Jobs.Records;

/// <summary>Where a job stands. The names in files are those of the wire contract, in which the first servers wrote them.</summary>
public enum JobStatus
{
    /// <summary>It waits for jobs before it.</summary>
    [JsonStringEnumMemberName("TRAINING_STATUS_QUEUED")]
    Queued,

    /// <summary>It trains; after a restart of the server, it goes on from its last checkpoint.</summary>
    [JsonStringEnumMemberName("TRAINING_STATUS_RUNNING")]
    Running,

    /// <summary>It is done, and published where a name was given.</summary>
    [JsonStringEnumMemberName("TRAINING_STATUS_SUCCEEDED")]
    Succeeded,

    /// <summary>Its <see cref="Job.Error"/> ended it.</summary>
    [JsonStringEnumMemberName("TRAINING_STATUS_FAILED")]
    Failed,

    /// <summary>Somebody ended it.</summary>
    [JsonStringEnumMemberName("TRAINING_STATUS_CANCELLED")]
    Cancelled,
}

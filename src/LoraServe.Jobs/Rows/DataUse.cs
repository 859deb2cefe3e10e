namespace LoraServe.Jobs.Rows;

/// <summary>What jobs still have of uploaded rows, in the order in which rows go when there is no room for others.</summary>
internal enum DataUse
{
    /// <summary>No job names them.</summary>
    None,

    /// <summary>A job that failed or was cancelled could go on with them.</summary>
    Kept,

    /// <summary>A job that waits, runs or is being started names them.</summary>
    Needed,
}

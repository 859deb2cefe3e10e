namespace LoraServe.Compute.Files;

/// <summary>The steps of <see cref="AtomicFile"/> that a disk can fail at.</summary>
internal enum DiskStep
{
    /// <summary>A file is made.</summary>
    Create,

    /// <summary>What was written to a file goes to the disk.</summary>
    Flush,

    /// <summary>A file or folder gets its name.</summary>
    Rename,

    /// <summary>A folder's names go to the disk.</summary>
    FlushFolder,
}

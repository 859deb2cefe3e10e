namespace LoraServe.Serving.Store.Versions;

/// <summary>The fastest place where an adapter version is now.</summary>
public enum AdapterTier
{
    /// <summary>Only in its files.</summary>
    Disk,

    /// <summary>Parsed in host memory.</summary>
    Host,

    /// <summary>In the form that kernels read.</summary>
    Resident,
}

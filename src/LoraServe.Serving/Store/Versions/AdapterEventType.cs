namespace LoraServe.Serving.Store.Versions;

/// <summary>What can happen to an adapter version.</summary>
public enum AdapterEventType
{
    /// <summary>It was there when watching began.</summary>
    Exists,

    /// <summary>It was published and is the latest of its name.</summary>
    Published,

    /// <summary>It became resident.</summary>
    Resident,

    /// <summary>It is no longer resident, to make room.</summary>
    Evicted,

    /// <summary>It was taken out of service.</summary>
    Unloaded,

    /// <summary>An alias points elsewhere, or is gone.</summary>
    AliasChanged,

    /// <summary>Its files could not be loaded.</summary>
    LoadFailed,
}

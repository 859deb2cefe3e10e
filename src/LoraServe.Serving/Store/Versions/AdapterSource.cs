namespace LoraServe.Serving.Store.Versions;

/// <summary>Where an adapter version came from.</summary>
public enum AdapterSource
{
    /// <summary>A directory or file that the operator or a caller named.</summary>
    Directory,

    /// <summary>Files that a caller sent.</summary>
    Upload,

    /// <summary>Found below the adapter root when a request named it.</summary>
    Resolver,
}

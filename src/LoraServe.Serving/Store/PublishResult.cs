namespace LoraServe.Serving.Store;

/// <summary>A version that was published.</summary>
/// <param name="Adapter">The version.</param>
/// <param name="Report">What loading it found.</param>
public sealed record PublishResult(AdapterRecord Adapter, LoadReport Report);

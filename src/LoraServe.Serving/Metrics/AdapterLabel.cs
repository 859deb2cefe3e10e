namespace LoraServe.Serving.Metrics;

/// <summary>The value of the tag <c>adapter</c>: what a request's adapters are called where requests are counted.</summary>
/// <param name="Name">The adapter's name, those of a stack joined by <c>+</c>; empty for the base model.</param>
/// <param name="IsOwned">Whether one of them is a tenant's, so that its name is not for everybody.</param>
public sealed record AdapterLabel(string Name, bool IsOwned)
{
    /// <summary>The name, for collectors that know nothing of owners.</summary>
    public override string ToString() => Name;
}

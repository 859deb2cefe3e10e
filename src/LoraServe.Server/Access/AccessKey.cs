namespace LoraServe.Server.Access;

/// <summary>A key that callers present as <c>authorization: Bearer KEY</c>, and what it lets them do.</summary>
public sealed class AccessKey
{
    /// <summary>SHA-256 of the key in hexadecimal, so that a leaked configuration leaks no key.</summary>
    public string Sha256 { get; set; } = "";

    /// <summary>Who the caller is: adapters are owned, requests are queued fairly and limited by tenant.</summary>
    public string Tenant { get; set; } = "";

    /// <summary>Whether the caller may publish, pin and remove adapters, those of other tenants included.</summary>
    public bool Admin { get; set; }
}

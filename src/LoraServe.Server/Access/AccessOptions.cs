namespace LoraServe.Server.Access;

/// <summary>Who may call. Configuration section <c>LoraServe:Access</c>.</summary>
public sealed class AccessOptions
{
    /// <summary>Known keys. None: every caller is an administrator of the tenant <c>default</c>, which suits one machine and its user.</summary>
    public IList<AccessKey> Keys { get; } = [];

    /// <summary>Who may read <c>/metrics</c>. Without keys everybody may, whatever it says.</summary>
    /// <value>Anyone by default, who reads of tenants' adapters without their names.</value>
    public MetricsAccess Metrics { get; set; } = MetricsAccess.Anyone;
}

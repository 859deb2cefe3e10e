using LoraServe.Server.Access;

namespace LoraServe.Server.Tests.Access;

public sealed class AccessOptionsValidatorTests
{
    private static readonly string s_digest = new('a', 64);

    [Fact]
    public void Errors_GoodKeys_AreNone() =>
        Assert.Empty(Errors(new AccessKey { Sha256 = s_digest, Tenant = "a" }, new AccessKey { Sha256 = new string('b', 64), Tenant = "a" }));

    [Fact]
    public void Errors_ReportEverythingAtOnceByItsKey()
    {
        IReadOnlyList<string> errors = Errors(new AccessKey { Sha256 = "secret", Tenant = "a" }, new AccessKey { Sha256 = new string('g', 64), Tenant = " " });

        Assert.Equal(3, errors.Count);
        Assert.Contains("LoraServe:Access:Keys:0:Sha256", errors[0], StringComparison.Ordinal);
        Assert.Contains("6 characters", errors[0], StringComparison.Ordinal);
        Assert.Contains("LoraServe:Access:Keys:1:Sha256", errors[1], StringComparison.Ordinal);
        Assert.Contains("LoraServe:Access:Keys:1:Tenant", errors[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Errors_KeyOfTwoTenants_IsRefused() =>
        Assert.Contains("2 times", Assert.Single(Errors(new AccessKey { Sha256 = s_digest, Tenant = "a" }, new AccessKey { Sha256 = s_digest.ToUpperInvariant(), Tenant = "b" })), StringComparison.Ordinal);

    [Fact]
    public void Errors_MetricsSettingThatThereIsNot_NameThoseThatThereAre() =>
        Assert.Contains("LoraServe:Access:Metrics is 7; it can be Anyone, Keys, Admins", Assert.Single(AccessOptionsValidator.Errors(new AccessOptions { Metrics = (MetricsAccess)7 })), StringComparison.Ordinal);

    private static IReadOnlyList<string> Errors(params AccessKey[] keys)
    {
        var options = new AccessOptions();
        foreach (AccessKey key in keys)
        {
            options.Keys.Add(key);
        }

        return AccessOptionsValidator.Errors(options);
    }
}

using LoraServe.Server.Access;
using LoraServe.Server.Options;
using Microsoft.Extensions.Options;

namespace LoraServe.Server.Tests.Options;

public sealed class OptionChecksTests
{
    [Fact]
    public void Check_Defaults_Pass() => OptionChecks.Check(new ServerOptions(), new AccessOptions());

    [Fact]
    public void Check_SeveralMistakes_AreAllReported()
    {
        var access = new AccessOptions();
        access.Keys.Add(new AccessKey { Sha256 = "short", Tenant = "a" });
        var server = new ServerOptions { Host = "", Port = 70_000, MaxReceiveMessageBytes = 1, CertificateKeyFile = "key.pem" };

        OptionsValidationException refusal = Assert.Throws<OptionsValidationException>(() => OptionChecks.Check(server, access));

        Assert.Equal(5, refusal.Failures.Count());
        Assert.All(
            ["Host", "Port", "MaxReceiveMessageBytes", "CertificateKeyFile", "Keys:0:Sha256"],
            setting => Assert.Contains(refusal.Failures, failure => failure.Contains(setting, StringComparison.Ordinal)));
        Assert.All(refusal.Failures, failure => Assert.StartsWith("LoraServe:", failure, StringComparison.Ordinal));
    }

    [Fact]
    public void Check_OfAllSections_NamesTheSection()
    {
        var settings = new LoraServeConfiguration { Engine = { MaxBatchRows = 0 }, Training = { Share = 2 } };

        OptionsValidationException refusal = Assert.Throws<OptionsValidationException>(settings.Check);

        Assert.Collection(
            refusal.Failures,
            failure => Assert.Contains("LoraServe:Engine: The field MaxBatchRows", failure, StringComparison.Ordinal),
            failure => Assert.Contains("LoraServe:Training: The field Share", failure, StringComparison.Ordinal));
    }
}

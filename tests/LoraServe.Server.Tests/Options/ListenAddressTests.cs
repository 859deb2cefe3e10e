using System.Net;
using LoraServe.Server.Options;

namespace LoraServe.Server.Tests.Options;

public sealed class ListenAddressTests
{
    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("0.0.0.0", "0.0.0.0")]
    [InlineData("::", "::")]
    [InlineData("::1", "::1")]
    [InlineData("*", "::")]
    public void TryResolve_Address_IsThatAddress(string host, string expected)
    {
        Assert.True(ListenAddress.TryResolve(host, out IPAddress? address, out _));
        Assert.Equal(IPAddress.Parse(expected), address);
    }

    [Fact]
    public void TryResolve_NameThatThisMachineKnows_IsItsAddress()
    {
        Assert.True(ListenAddress.TryResolve("LOCALHOST", out IPAddress? address, out _));
        Assert.True(IPAddress.IsLoopback(address));
    }

    [Theory]
    [InlineData("300.1.1.1")]
    [InlineData("1.2")]
    [InlineData("no such name")]
    [InlineData("nonesuch.invalid")]
    public void TryResolve_NeitherAddressNorName_SaysWhatIsExpected(string host)
    {
        Assert.False(ListenAddress.TryResolve(host, out _, out string? error));
        Assert.Contains($"'{host}'", error, StringComparison.Ordinal);
        Assert.Contains("localhost", error, StringComparison.Ordinal);
    }
}

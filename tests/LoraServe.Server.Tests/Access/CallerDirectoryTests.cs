using Grpc.Core;
using LoraServe.Server.Access;
using LoraServe.Serving;

namespace LoraServe.Server.Tests.Access;

public sealed class CallerDirectoryTests
{
    /// <summary>SHA-256 of <c>secret</c>.</summary>
    private const string Digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    private static readonly CallerDirectory s_directory = Directory(Digest);

    [Theory]
    [InlineData("Bearer secret")]
    [InlineData("bearer secret")]
    [InlineData("Bearer   secret ")]
    public void Find_KnownKey_IsItsTenant(string authorization) =>
        Assert.Equal(new Principal("alice", IsAdmin: true), s_directory.Find(authorization));

    [Fact]
    public void Find_DigestInCapitals_IsTheSameKey() => Assert.Equal("alice", Directory(Digest.ToUpperInvariant()).Find("Bearer secret").Tenant);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("Basic secret")]
    [InlineData("Bearer ")]
    [InlineData("Bearer wrong")]
    [InlineData("Bearer " + Digest)]
    public void Find_NoKnownKey_IsUnauthenticatedAndSaysNothingOfTheKey(string? authorization)
    {
        RpcException refusal = Assert.Throws<RpcException>(() => s_directory.Find(authorization));

        Assert.Equal(StatusCode.Unauthenticated, refusal.StatusCode);
        Assert.DoesNotContain("wrong", refusal.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_TwoKeysOneOfThemKnown_IsUnauthenticated()
    {
        RpcException refusal = Assert.Throws<RpcException>(() => s_directory.Find("Bearer wrong,Bearer secret"));

        Assert.Equal(StatusCode.Unauthenticated, refusal.StatusCode);
        Assert.Contains("More than one key", refusal.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_WithoutKeys_EverybodyIsAdministrator() =>
        Assert.Equal(new Principal("default", IsAdmin: true), new CallerDirectory(new AccessOptions()).Find(null));

    private static CallerDirectory Directory(string digest)
    {
        var options = new AccessOptions();
        options.Keys.Add(new AccessKey { Sha256 = digest, Tenant = "alice", Admin = true });
        return new CallerDirectory(options);
    }
}

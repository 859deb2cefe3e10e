using LoraServe.Server.Access;
using LoraServe.Serving.Requests;

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
        Assert.Equal((new Principal("alice", IsAdmin: true), null), s_directory.Find(authorization));

    [Fact]
    public void Find_DigestInCapitals_IsTheSameKey() => Assert.Equal("alice", Directory(Digest.ToUpperInvariant()).Find("Bearer secret").Caller!.Tenant);

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
        (Principal? caller, EngineException? refusal) = s_directory.Find(authorization);

        Assert.Equal((null, EngineError.Unauthenticated), (caller, refusal!.Error));
        Assert.DoesNotContain("wrong", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_TwoKeysOneOfThemKnown_IsUnauthenticated()
    {
        (Principal? caller, EngineException? refusal) = s_directory.Find("Bearer wrong,Bearer secret");

        Assert.Equal((null, EngineError.Unauthenticated), (caller, refusal!.Error));
        Assert.Contains("More than one key", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_WithoutKeys_EverybodyIsAdministrator() =>
        Assert.Equal((new Principal("default", IsAdmin: true), null), new CallerDirectory(new AccessOptions()).Find(null));

    private static CallerDirectory Directory(string digest)
    {
        var options = new AccessOptions();
        options.Keys.Add(new AccessKey { Sha256 = digest, Tenant = "alice", Admin = true });
        return new CallerDirectory(options);
    }
}

using FsCheck;
using FsCheck.Fluent;
using LoraServe.Server.Surfaces.Grpc.Calls;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Calls;

public sealed class DeadlineMiddlewareTests
{
    [Theory]
    [InlineData("1H", 36_000_000_000)]
    [InlineData("2M", 1_200_000_000)]
    [InlineData("3S", 30_000_000)]
    [InlineData("4000m", 40_000_000)]
    [InlineData("5u", 50)]
    [InlineData("99999999n", 999_999)]
    [InlineData("99999999H", 3_599_999_964_000_000_000)]
    [InlineData("99n", 0)]
    [InlineData("0H", 0)]
    public void Ticks_OfATimeout_AreItsLength(string text, long expected) => Assert.Equal(expected, DeadlineMiddleware.Ticks(text));

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("10")]
    [InlineData("123456789S")]
    [InlineData("-1S")]
    [InlineData("+1S")]
    [InlineData(" 1S")]
    [InlineData("1x")]
    [InlineData("1s")]
    [InlineData("1S,1S")]
    [InlineData("١S")]
    public void Ticks_OfSomethingElse_AreNone(string text) => Assert.Null(DeadlineMiddleware.Ticks(text));

    [Fact]
    public void Ticks_OfAnyText_NeverFailAndAreNeverNegative() =>
        Prop.ForAll<string?>(text => DeadlineMiddleware.Ticks(text ?? "") is null or >= 0).QuickCheckThrowOnFailure();
}

using LoraServe.Serving.Store.Files;
using Microsoft.Extensions.Time.Testing;

namespace LoraServe.Serving.Tests.Store.Files;

public sealed class LooksTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void IsDue_AfterALook_IsSoAgainAfterAWhile()
    {
        var looks = new Looks(_time);
        Assert.True(looks.IsDue("a"));
        looks.Note("a", "1", "1");
        Assert.False(looks.IsDue("a"));
        Assert.True(looks.IsDue("b"));
        _time.Advance(Looks.Interval);
        Assert.True(looks.IsDue("a"));
    }

    [Fact]
    public void Note_OtherFiles_IsTrueOncePerState()
    {
        var looks = new Looks(_time);
        Assert.False(looks.Note("a", "1", "1")); // as published
        Assert.False(looks.Note("a", "", "1")); // gone, or out of reach
        Assert.True(looks.Note("a", "2", "1"));
        Assert.False(looks.Note("a", "2", "1")); // were refused
        Assert.False(looks.Note("a", "", "1"));
        Assert.False(looks.Note("a", "2", "1"));
        Assert.False(looks.Note("a", "1", "1")); // are back
        Assert.True(looks.Note("a", "3", "1"));
        Assert.False(looks.Note("a", "3", "3")); // were published
        Assert.True(looks.Note("b", "1", "")); // published before anybody noted what they were
    }
}

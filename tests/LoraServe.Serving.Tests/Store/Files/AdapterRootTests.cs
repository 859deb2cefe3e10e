using LoraServe.Serving.Store.Files;
using Microsoft.Extensions.Time.Testing;

namespace LoraServe.Serving.Tests.Store.Files;

public sealed class AdapterRootTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void IsDue_AfterALook_IsSoAgainAfterAWhile()
    {
        var root = new AdapterRoot(_folder, _time);
        Assert.True(root.IsDue("a"));
        root.Look("a");
        Assert.False(root.IsDue("a"));
        Assert.True(root.IsDue("b"));
        _time.Advance(AdapterRoot.Interval);
        Assert.True(root.IsDue("a"));
    }

    [Fact]
    public void Look_FilesThatWereTouched_GivesWhereTheyLieOncePerState()
    {
        var root = new AdapterRoot(_folder, _time);
        string files = Directory.CreateDirectory(Path.Combine(_folder, "a")).FullName;
        string config = Path.Combine(files, "adapter_config.json");
        Write("1");
        Assert.Equal(files, root.Look("a")); // nobody looked before
        Assert.Null(root.Look("a"));
        Write("22");
        Assert.Equal(files, root.Look("a"));
        Assert.Null(root.Look("a")); // were refused, or are published
        File.Delete(config);
        Assert.Null(root.Look("a")); // gone, or out of reach
        Write("22");
        Assert.Null(root.Look("a")); // are back
        Write("333");
        Assert.Equal(files, root.Look("a"));
        Directory.Delete(files, recursive: true);
        Assert.Null(root.Look("a"));

        void Write(string text)
        {
            File.WriteAllText(config, text);
            File.SetLastWriteTimeUtc(config, new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        }
    }
}

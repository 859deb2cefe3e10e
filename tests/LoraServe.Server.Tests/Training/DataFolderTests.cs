using System.Text;
using LoraServe.Server.Training;
using LoraServe.Serving;

namespace LoraServe.Server.Tests.Training;

public sealed class DataFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;
    private readonly HashSet<string> _needed = [];
    private readonly TickingClock _clock = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Complete_Rows_AreThereForTheirSenderAfterARestartToo()
    {
        (string id, DataUpload upload) = await SendAsync(Open(), "{}\n\n {}\r\n", "{\"a\":1}");

        Assert.Equal((3L, 16L), (upload.Rows, upload.Bytes));
        foreach (DataFolder data in new[] { Open(), Open() })
        {
            (string path, string name) = data.Find(TrainingBench.Alice, id)!.Value;
            Assert.Equal(("{}\n\n {}\r\n{\"a\":1}", "train.jsonl"), (await File.ReadAllTextAsync(path), name));
            Assert.NotNull(data.Find(TrainingBench.Admin, id));
            Assert.Null(data.Find(TrainingBench.Bob, id));
        }
    }

    [Fact]
    public async Task Dispose_BeforeTheEnd_LeavesNothing()
    {
        DataFolder data = Open();
        await using (DataUpload upload = data.Begin(TrainingBench.Alice, "train.jsonl"))
        {
            await upload.WriteAsync("{}"u8.ToArray(), CancellationToken.None);
        }

        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task Open_AfterAKill_DeletesWhatWasNotWhole()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "data-1.part"), "{}");

        Open();

        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task Write_MoreThanAllowed_IsRefused()
    {
        DataFolder data = Open(options => options.MaxUploadBytes = 10);

        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => SendAsync(data, "{}\n{}\n", "{}\n{}\n"));

        Assert.Equal(EngineError.InvalidUpload, refusal.Error);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n \r\n\t\n")]
    public async Task Complete_NoRow_IsRefused(string text)
    {
        await Assert.ThrowsAsync<EngineException>(() => SendAsync(Open(), text));

        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task Complete_NoRoom_DropsTheOldestThatNoJobNeeds()
    {
        DataFolder data = Open(options => options.MaxStoredBytes = 10);
        (string oldest, _) = await SendAsync(data, "{ }");
        (string older, _) = await SendAsync(data, "{ }");
        (string newer, _) = await SendAsync(data, "{ }");
        _needed.Add(oldest);

        (string newest, _) = await SendAsync(data, "{ }");

        Assert.Equal([true, false, true, true], new[] { oldest, older, newer, newest }.Select(id => data.Find(TrainingBench.Alice, id) is not null));
        _needed.UnionWith([newer, newest]);
        Assert.Contains("9 of 10", (await Assert.ThrowsAsync<EngineException>(() => SendAsync(data, "{ }"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Begin_NameThatCannotBePrinted_IsRefused()
    {
        Assert.Throws<EngineException>(() => Open().Begin(TrainingBench.Alice, "a\nb"));
        Assert.Throws<EngineException>(() => Open().Begin(TrainingBench.Alice, new string('a', 256)));
    }

    private DataFolder Open(Action<TrainingOptions>? configure = null)
    {
        var options = new TrainingOptions();
        configure?.Invoke(options);
        return new DataFolder(_folder, options, _clock, _needed.Contains);
    }

    private static async Task<(string Id, DataUpload Upload)> SendAsync(DataFolder data, params string[] chunks)
    {
        await using DataUpload upload = data.Begin(TrainingBench.Alice, "train.jsonl");
        foreach (string chunk in chunks)
        {
            await upload.WriteAsync(Encoding.UTF8.GetBytes(chunk), CancellationToken.None);
        }

        return (await upload.CompleteAsync(), upload);
    }

    /// <summary>A second passes whenever it is looked at.</summary>
    private sealed class TickingClock : TimeProvider
    {
        private int _seconds;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(++_seconds);
    }
}

using System.Text;
using LoraServe.Jobs.Options;
using LoraServe.Jobs.Rows;
using LoraServe.Serving.Requests;
using LoraServe.Testing;

namespace LoraServe.Jobs.Tests.Rows;

public sealed class DataFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;
    private readonly HashSet<string> _needed = [];
    private readonly HashSet<string> _kept = [];
    private readonly RecordedLog<DataFolder> _log = new();
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
        DataFolder data = Open(options => (options.MaxStoredBytes, options.MaxStoredBytesPerTenant) = (10, 10));
        (string oldest, _) = await SendAsync(data, "{ }");
        (string older, _) = await SendAsync(data, "{ }");
        (string newer, _) = await SendAsync(data, "{ }");
        _needed.Add(oldest);

        (string newest, _) = await SendAsync(data, "{ }");

        Assert.Equal([true, false, true, true], new[] { oldest, older, newer, newest }.Select(id => data.Find(TrainingBench.Alice, id) is not null));
        _needed.UnionWith([newer, newest]);
        Assert.Contains("take 9 of", (await Assert.ThrowsAsync<EngineException>(() => SendAsync(data, "{ }"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Complete_NoRoomBesideWhatIsKeptToResume_DropsTheSendersAndSaysSo()
    {
        DataFolder data = Open(options => (options.MaxStoredBytes, options.MaxStoredBytesPerTenant) = (9, 9));
        List<string> dropped = [];
        data.Dropped = dropped.Add;
        string[] ids = [(await SendAsync(data, "{ }")).Id, (await SendAsync(data, "{ }")).Id, (await SendAsync(data, "{ }")).Id];
        _kept.UnionWith(ids);

        await SendAsync(data, "{ }");

        Assert.Equal(ids[..1], dropped);
        Assert.Equal([false, true, true], ids.Select(id => data.Find(TrainingBench.Alice, id) is not null));
    }

    [Fact]
    public async Task Complete_ATenantsShareIsUsedUp_LeavesTheRestToOthers()
    {
        DataFolder data = Open(options => options.MaxStoredBytes = 12);
        _needed.UnionWith([(await SendAsync(data, "{ }")).Id, (await SendAsync(data, "{ }")).Id]);

        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => SendAsync(data, "{ }"));
        Assert.Contains("6 of its 6 bytes", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(EngineError.QueueFull, refusal.Error);

        await using DataUpload others = data.Begin(TrainingBench.Bob, "train.jsonl");
        await others.WriteAsync("{ }"u8.ToArray(), CancellationToken.None);
        Assert.NotNull(data.Find(TrainingBench.Bob, await others.CompleteAsync()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"Id\":\"data-")]
    [InlineData("{}")]
    [InlineData("{\"Id\":\"data-other\",\"Owner\":\"alice\",\"FileName\":\"a\",\"Bytes\":3,\"Rows\":1,\"At\":\"2026-01-01T00:00:00+00:00\"}")]
    [InlineData(null)]
    public async Task Open_DamagedDescription_IsSetAsideAndTheRestIsThere(string? description)
    {
        DataFolder data = Open();
        (string damaged, _) = await SendAsync(data, "{ }");
        (string whole, _) = await SendAsync(data, "{ }");
        string file = Path.Combine(_folder, $"{damaged}.json");
        if (description is null)
        {
            File.Delete(file);
        }
        else
        {
            await File.WriteAllTextAsync(file, description);
        }

        data = Open();

        Assert.Null(data.Find(TrainingBench.Alice, damaged));
        Assert.NotNull(data.Find(TrainingBench.Alice, whole));
        Assert.True(File.Exists(Path.Combine(_folder, $"{damaged}.jsonl.damaged")));
        Assert.All(_log.Lines, line => Assert.Contains(damaged, line.Text, StringComparison.Ordinal));
        Assert.Contains("set aside", _log.Lines[0].Text, StringComparison.Ordinal);
        int said = _log.Lines.Count;
        Assert.NotNull(Open().Find(TrainingBench.Alice, whole));
        Assert.Equal(said, _log.Lines.Count);
    }

    [Fact]
    public async Task Open_RowsShorterThanTheyWere_AreSetAside()
    {
        (string id, _) = await SendAsync(Open(), "{ }\n{ }");
        await File.WriteAllTextAsync(Path.Combine(_folder, $"{id}.jsonl"), "{ }");

        Assert.Null(Open().Find(TrainingBench.Alice, id));
        Assert.Contains("have 3 bytes and had 7", _log.Lines[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Complete_DiskFailsAtAnyStep_KeepsNothingOrAll()
    {
        int steps;
        using (var disk = new FailingDisk(0))
        {
            await SendAsync(Open(), "{ }");
            steps = disk.Steps;
        }

        Assert.True(steps > 4, $"{steps} steps");
        Array.ForEach(Directory.GetFiles(_folder), File.Delete);
        for (int step = 1; step <= steps; step++)
        {
            DataFolder data = Open();
            EngineException refusal;
            using (new FailingDisk(step))
            {
                refusal = await Assert.ThrowsAsync<EngineException>(() => SendAsync(data, "{ }"));
            }

            Assert.Equal(EngineError.StorageFailed, refusal.Error);
            Assert.DoesNotContain(_folder, refusal.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFiles(_folder));

            (string id, _) = await SendAsync(data, "{ }");
            Assert.NotNull(Open().Find(TrainingBench.Alice, id));
            Array.ForEach(Directory.GetFiles(_folder), File.Delete);
        }
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
        return new DataFolder(_folder, options, _clock, _log, id => _needed.Contains(id) ? DataUse.Needed : _kept.Contains(id) ? DataUse.Kept : DataUse.None);
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

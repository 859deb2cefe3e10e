using LoraServe.Adapters;
using LoraServe.Models;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Files;
using LoraServe.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoraServe.Serving.Tests.Store.Files;

/// <summary>Files are found by what they are, wherever they lie, and never taken for what they were.</summary>
public sealed class LocalFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;
    private readonly Transformer _model = TinyModel.Create(seed: 1);
    private StoreFolder _store;
    private LocalFiles _files;

    public LocalFilesTests() => (_store, _files) = Open();

    private string Stored => Path.Combine(_folder, "store", "adapters");

    public void Dispose()
    {
        _files.Dispose();
        _store.Dispose();
        _model.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Put_Files_AreThereWholeByTheirDigest()
    {
        string digest = Put(1);
        Assert.Equal(digest, _files.Open(digest, "a").Digest);
        Assert.Equal([digest], _files.Stored());
        Assert.Empty(Directory.GetDirectories(Path.Combine(_folder, "store", "uploads")));
        Assert.Equal(digest, _files.DigestOf(_files.Find(digest, "a")));
    }

    [Fact]
    public void Put_OtherFilesThanTheDigestSays_IsRefused()
    {
        string upload = TinyAdapters.Write(_files.NewUpload(), 1);
        string other = _files.DigestOf(TinyAdapters.Write(Path.Combine(_folder, "other"), 2));
        Assert.Equal(EngineError.StorageFailed, Assert.Throws<EngineException>(() => _files.Put(other, upload)).Error);
        Assert.Empty(_files.Stored());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Put_DiskFailsAtAnyStep_ChangesNothing(bool staysBroken)
    {
        string kept = Put(2);
        bool isDone = false;
        for (int step = 1; !isDone; step++)
        {
            string upload = TinyAdapters.Write(_files.NewUpload(), 1);
            string digest = _files.DigestOf(upload);
            using var disk = new FailingDisk(step, staysBroken, path => path.StartsWith(_folder, StringComparison.Ordinal));
            Exception? failure = Record.Exception(() => _files.Put(digest, upload));
            isDone = !disk.HasFailed;
            Assert.Equal(isDone, failure is null);
            Assert.Equal(isDone ? [.. new[] { digest, kept }.Order(StringComparer.Ordinal)] : [kept], _files.Stored().Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void Release_FilesThatSeveralNeed_GoWithTheLast()
    {
        string digest = Put(1);
        Assert.Equal(digest, Put(1));
        Assert.Single(_files.Stored());
        _files.Release(digest);
        _files.Dispose();
        Assert.Equal(digest, _files.Open(digest, "a").Digest);
        Reopen();
        _files.Hold(digest);
        _files.Release(digest);
        _files.Dispose();
        Assert.Empty(_files.Stored());
        Reopen();
        Put(1);
        Assert.Equal(digest, Put(1));
        _files.Discard(digest);
        Assert.Single(_files.Stored());
        _files.Discard(digest);
        Assert.Empty(_files.Stored());
    }

    [Fact]
    public void Release_ThenPutAgain_KeepsThem()
    {
        foreach (int i in Enumerable.Range(0, 20))
        {
            string digest = Put(1);
            _files.Release(digest);
            Assert.Equal(digest, Put(1));
            Assert.Equal(digest, _files.Open(digest, "a").Digest);
            _files.Release(digest);
        }

        _files.Dispose();
        Assert.Empty(_files.Stored());
    }

    [Fact]
    public void Put_WhereDamagedFilesLie_TakesTheirPlace()
    {
        string digest = Put(1);
        File.WriteAllText(Path.Combine(Stored, digest, "adapter_model.safetensors"), "half");
        Assert.Throws<AdapterFormatException>(() => _files.Open(digest, "a"));
        Put(1);
        Assert.Equal(digest, _files.Open(digest, "a").Digest);
    }

    [Fact]
    public void Open_FilesReplacedInTheirPlace_IsRefusedUntilTheyAreBackOrElsewhere()
    {
        string first = TinyAdapters.Write(Path.Combine(_folder, "first"), 1);
        string digest = _files.DigestOf(first);
        _files.Note(digest, first);
        Assert.Equal(digest, _files.Open(digest, "a").Digest);
        Assert.Equal(first, _files.Find(digest, "a"));
        TinyAdapters.Write(first, 2);
        Refused("changed");
        Directory.Delete(first, recursive: true);
        Refused("not there");
        string second = TinyAdapters.Write(Path.Combine(_folder, "second"), 1);
        _files.Note(digest, second);
        Assert.Equal(second, _files.Find(digest, "a"));
        TinyAdapters.Write(first, 1);
        Directory.Delete(second, recursive: true);
        Reopen(); // both places are known still
        Assert.Equal(first, _files.Find(digest, "a"));
        Assert.Equal(digest, _files.Open(digest, "a").Digest);
        Put(1);
        Directory.Delete(first, recursive: true);
        Assert.Equal(digest, _files.Open(digest, "a").Digest);

        void Refused(string why)
        {
            foreach (Action open in new Action[] { () => _files.Open(digest, "shown"), () => _files.Find(digest, "shown") })
            {
                string message = Assert.Throws<AdapterFormatException>(open).Message;
                Assert.Contains(why, message, StringComparison.Ordinal);
                Assert.Contains("shown", message, StringComparison.Ordinal);
                Assert.DoesNotContain(_folder, message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Sweep_LeavesWhatIsNamed()
    {
        string named = Put(1);
        string unnamed = Put(2);
        string place = TinyAdapters.Write(Path.Combine(_folder, "place"), 3);
        string noted = _files.DigestOf(place);
        _files.Note(noted, place);
        Reopen();
        Assert.Equal(0, _files.Sweep([named, noted], leavesUnnamed: true, out IReadOnlyList<string> left));
        Assert.Equal([Path.Combine(Stored, unnamed)], left);
        Assert.Equal(1, _files.Sweep([named, noted], leavesUnnamed: false, out _));
        Assert.Equal([named], _files.Stored());
        Assert.Equal(place, _files.Find(noted, "a"));
        _files.Sweep([named], leavesUnnamed: false, out _);
        Reopen();
        Assert.False(_files.IsThere(noted, out _));
        Assert.True(Directory.Exists(place));
    }

    private string Put(int seed)
    {
        string upload = TinyAdapters.Write(_files.NewUpload(), seed);
        string digest = _files.DigestOf(upload);
        _files.Put(digest, upload);
        return digest;
    }

    private (StoreFolder Store, LocalFiles Files) Open()
    {
        var store = new StoreFolder(Path.Combine(_folder, "store"));
        return (store, new LocalFiles(store, _model, new AdapterLimits(), NullLogger.Instance));
    }

    private void Reopen()
    {
        _files.Dispose();
        _store.Dispose();
        (_store, _files) = Open();
    }
}

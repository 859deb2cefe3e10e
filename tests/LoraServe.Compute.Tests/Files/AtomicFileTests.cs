using LoraServe.Compute.Files;
using LoraServe.Testing;

namespace LoraServe.Compute.Tests.Files;

public sealed class AtomicFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    private string File => Path.Combine(_folder, "list.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void WriteAllText_NewAndAgain_ReplacesTheWhole()
    {
        AtomicFile.WriteAllText(File, "a long first content");
        AtomicFile.WriteAllText(File, "é");

        Assert.Equal([0xC3, 0xA9], System.IO.File.ReadAllBytes(File));
        Assert.Equal([File], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Write_WhenTheContentCannotBeMade_LeavesWhatWasThere()
    {
        AtomicFile.WriteAllText(File, "old");

        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(File, stream =>
        {
            stream.Write("half"u8);
            throw new InvalidOperationException();
        }));

        Assert.Equal("old", System.IO.File.ReadAllText(File));
        Assert.Equal([File], Directory.GetFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData(1, "old")] // making the temporary
    [InlineData(2, "old")] // flushing it
    [InlineData(3, "old")] // the name
    [InlineData(4, "new")] // the folder: the name is taken by then
    public void Write_WhenAStepFails_IsOldOrNewAsAWhole(int step, string content)
    {
        AtomicFile.WriteAllText(File, "old");
        using (var disk = new FailingDisk(step))
        {
            Assert.Throws<IOException>(() => AtomicFile.WriteAllText(File, "new"));
            Assert.True(disk.HasFailed);
        }

        Assert.Equal(content, System.IO.File.ReadAllText(File));
        Assert.Equal([File], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Write_AfterAKillLeftATemporary_Overwrites()
    {
        System.IO.File.WriteAllText($"{File}.tmp", "a torn write that is longer than the next one");

        AtomicFile.WriteAllText(File, "whole");

        Assert.Equal("whole", System.IO.File.ReadAllText(File));
        Assert.Equal([File], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Move_AFolder_TakesItsFilesAlong()
    {
        string from = Directory.CreateDirectory(Path.Combine(_folder, "uploads", "x")).FullName;
        string to = Path.Combine(_folder, "x@1");
        using (FileStream stream = AtomicFile.Create(Path.Combine(from, "weights")))
        {
            stream.Write("w"u8);
            AtomicFile.Flush(stream);
        }

        AtomicFile.Move(from, to);

        Assert.Equal("w", System.IO.File.ReadAllText(Path.Combine(to, "weights")));
        Assert.False(Directory.Exists(from));
    }

    [Fact]
    public void FlushFolder_NoSuchFolder_NamesIt()
    {
        string gone = Path.Combine(_folder, "gone");

        if (!OperatingSystem.IsWindows())
        {
            Assert.Contains(gone, Assert.Throws<IOException>(() => AtomicFile.FlushFolder(gone)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task FailingDisk_InAnotherFlow_ConcernsNobodyElse()
    {
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        Task other = OtherAsync();
        await begun.Task;

        AtomicFile.WriteAllText(File, "fine");

        release.SetResult();
        await other;
        Assert.Equal("fine", System.IO.File.ReadAllText(File));

        async Task OtherAsync()
        {
            using var disk = new FailingDisk(1, staysBroken: true);
            begun.SetResult();
            await release.Task;
            Assert.Throws<IOException>(() => AtomicFile.WriteAllText(Path.Combine(_folder, "other"), ""));
        }
    }
}

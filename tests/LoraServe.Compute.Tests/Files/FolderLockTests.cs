using LoraServe.Compute.Files;

namespace LoraServe.Compute.Tests.Files;

public sealed class FolderLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    [Fact]
    public void Take_AFolderThatIsTaken_IsRefusedUntilItIsFree()
    {
        using (FolderLock.Take(_folder))
        {
            FolderInUseException refusal = Assert.Throws<FolderInUseException>(() => FolderLock.Take(_folder));
            Assert.Equal(_folder, refusal.Folder);
            Assert.Contains(_folder, refusal.Message, StringComparison.Ordinal);
        }

        FolderLock.Take(_folder).Dispose();
    }

    [Fact]
    public void Take_AFolderThatAnOwnerLeftBehind_IsGiven()
    {
        File.WriteAllText(Path.Combine(_folder, ".lock"), "");

        FolderLock.Take(_folder).Dispose();
    }

    [Fact]
    public void Take_AFolderThatIsNotThere_IsNotTakenForOneInUse() =>
        Assert.IsType<DirectoryNotFoundException>(Record.Exception(() => FolderLock.Take(Path.Combine(_folder, "missing"))));

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

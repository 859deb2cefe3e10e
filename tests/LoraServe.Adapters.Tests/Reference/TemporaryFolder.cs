namespace LoraServe.Adapters.Tests.Reference;

/// <summary>A folder that goes with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("loraserve-adapters-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

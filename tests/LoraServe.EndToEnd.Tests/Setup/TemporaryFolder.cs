namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("loraserve-").FullName;

    public string At(string relative) => Path.Combine(_path, relative);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}

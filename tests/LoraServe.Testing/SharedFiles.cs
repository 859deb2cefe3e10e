using Xunit;

namespace LoraServe.Testing;

/// <summary>Finds the large reference files that do not travel with the repository.</summary>
/// <remarks>
/// They lie in the folder named by <c>LORASERVE_SHARED</c>, else in <c>shared</c> beside the repository.
/// A test that needs a part that is not there reports itself skipped and names the part.
/// </remarks>
public static class SharedFiles
{
    /// <summary>The folder, or null where there is none.</summary>
    /// <remarks>Set by a test of the architecture, in a copy of this class, to see what a clone without the folder sees.</remarks>
    public static string? Root { get; private set; } = Find();

    /// <summary>The full path of a file or folder in the shared folder, or null where it is missing.</summary>
    /// <param name="relativePath">Path with forward slashes, such as <c>fixtures/models/llama</c>.</param>
    public static string? TryGet(string relativePath)
    {
        if (Root is null)
        {
            return null;
        }

        string path = Path.Combine(Root, relativePath);
        return File.Exists(path) || Directory.Exists(path) ? path : null;
    }

    /// <summary>The full path of a file or folder in the shared folder; skips the calling test where it is missing.</summary>
    public static string Require(string relativePath)
    {
        string? path = TryGet(relativePath);
        Skip.If(path is null, $"shared/{relativePath} is not here (set LORASERVE_SHARED to the shared folder).");
        return path!;
    }

    /// <summary>The names of the folders below a shared folder, in order; empty where it is missing.</summary>
    public static IEnumerable<string> FolderNames(string relativePath) =>
        TryGet(relativePath) is { } path
            ? Directory.GetDirectories(path).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)
            : [];

    /// <summary>The names of the files of a shared folder, in order; empty where it is missing.</summary>
    /// <param name="relativePath">The folder.</param>
    /// <param name="pattern">Such as <c>*.gguf</c>.</param>
    public static IEnumerable<string> FileNames(string relativePath, string pattern) =>
        TryGet(relativePath) is { } path
            ? Directory.GetFiles(path, pattern).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)
            : [];

    /// <summary>Rows of a theory, one for each name that was found. Where there is none, one row that <see cref="Require"/> skips: xunit fails a theory without rows.</summary>
    /// <param name="found">The names.</param>
    public static IEnumerable<string> Cases(IEnumerable<string> found) => found.DefaultIfEmpty("(none)");

    private static string? Find()
    {
        string? named = Environment.GetEnvironmentVariable("LORASERVE_SHARED");
        if (!string.IsNullOrEmpty(named))
        {
            return Directory.Exists(named) ? Path.GetFullPath(named) : null;
        }

        string beside = Path.Combine(Repository.Root, "..", "shared");
        return Directory.Exists(beside) ? Path.GetFullPath(beside) : null;
    }
}

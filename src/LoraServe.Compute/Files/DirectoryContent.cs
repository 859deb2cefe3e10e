namespace LoraServe.Compute.Files;

/// <summary>Says what a directory holds in which something was not found.</summary>
public static class DirectoryContent
{
    private const int MostNamed = 6;

    /// <summary>Names of its files and directories, in order.</summary>
    public static string[] Names(string directory) =>
        [.. Directory.EnumerateFileSystemEntries(directory).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    /// <summary>The first of them, to follow what the directory is called.</summary>
    public static string Describe(string directory)
    {
        string[] names = Names(directory);
        return names.Length == 0 ? "is empty" : $"holds {string.Join(", ", names.Take(MostNamed))}{(names.Length > MostNamed ? $" and {names.Length - MostNamed} more" : "")}";
    }
}

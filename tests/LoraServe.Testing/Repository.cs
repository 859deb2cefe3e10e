namespace LoraServe.Testing;

/// <summary>Where the repository that the tests were built from lies.</summary>
public static class Repository
{
    /// <summary>The folder that holds LoraServe.sln.</summary>
    public static string Root { get; } = Find();

    /// <summary>The full path of a file or folder below tests/fixtures, the small goldens that travel with the repository.</summary>
    public static string Fixture(string relativePath) => Path.Combine(Root, "tests", "fixtures", relativePath);

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LoraServe.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No LoraServe.sln above {AppContext.BaseDirectory}.");
    }
}

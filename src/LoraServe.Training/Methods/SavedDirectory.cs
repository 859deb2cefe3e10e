namespace LoraServe.Training.Methods;

/// <summary>Writes directories whole or not at all.</summary>
internal static class SavedDirectory
{
    /// <summary>Writes a directory beside its place and moves it there.</summary>
    /// <param name="directory">The place; what is there is replaced.</param>
    /// <param name="write">Writes the files, given where.</param>
    /// <exception cref="IOException">A file cannot be written; what was there still is.</exception>
    public static void Replace(string directory, Action<string> write)
    {
        string place = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        string partial = $"{place}.partial";
        string old = $"{place}.old";
        DeleteIfThere(partial);
        try
        {
            Directory.CreateDirectory(partial);
            write(partial);
        }
        catch
        {
            DeleteIfThere(partial);
            throw;
        }

        DeleteIfThere(old);
        if (Directory.Exists(place))
        {
            Directory.Move(place, old);
        }

        Directory.Move(partial, place);
        DeleteIfThere(old);
    }

    private static void DeleteIfThere(string directory)
    {
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}

namespace LoraServe.Compute.Files;

/// <summary>Where a path leads once every link on the way is followed.</summary>
public static class RealPath
{
    private const int MostLinks = 32;

    /// <summary>The path without links. What is not there is taken as it is called.</summary>
    /// <param name="path">An absolute path.</param>
    /// <exception cref="IOException">It has too many links.</exception>
    public static string Of(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string real = Path.GetPathRoot(path)!;
        var rest = new Stack<string>(path[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse());
        for (int links = 0; rest.TryPop(out string? part);)
        {
            string next = part switch
            {
                "." => real,
                ".." => Path.GetDirectoryName(real) ?? real,
                _ => Path.Combine(real, part),
            };
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MostLinks)
            {
                throw new IOException("The path has too many links.");
            }

            if (Path.IsPathRooted(target))
            {
                real = Path.GetPathRoot(target)!;
            }

            foreach (string step in target.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse())
            {
                rest.Push(step);
            }
        }

        return real;
    }
}

namespace LoraServe.Serving.Store;

/// <summary>Keeps callers' paths below a root folder, links included.</summary>
internal static class AdapterPath
{
    private const int MaxLinks = 32;

    /// <summary>The path of a directory or file below the root.</summary>
    /// <exception cref="EngineException">It leaves the root, or does not exist.</exception>
    public static string Below(string? root, string relative)
    {
        if (root is null)
        {
            throw new EngineException(EngineError.PathRefused, "There is no adapter root, so no path can be loaded. Start the server with one, or upload the adapter.");
        }

        bool isPlain = relative.Length > 0 && !relative.Contains('\0', StringComparison.Ordinal) && !Path.IsPathRooted(relative)
            && !relative.Split('/', '\\').Any(part => part is "" or "." or "..");
        if (!isPlain)
        {
            throw new EngineException(EngineError.PathRefused, "The path must be relative to the adapter root, without '.', '..' or empty parts.");
        }

        string path = Path.Combine(Path.GetFullPath(root), relative);
        if (!Path.Exists(path))
        {
            throw new EngineException(EngineError.PathRefused, $"There is no '{relative}' below the adapter root.");
        }

        CheckLinks(root, path, relative);
        return path;
    }

    /// <summary>Refuses links in a directory or file that lead out of the root.</summary>
    public static void CheckLinks(string root, string path, string shown)
    {
        string realRoot = Real(Path.GetFullPath(root)) + Path.DirectorySeparatorChar;
        IEnumerable<string> all = Directory.Exists(path) ? Directory.EnumerateFileSystemEntries(path).Take(1000).Prepend(path) : [path];
        foreach (string each in all)
        {
            if (!Real(each).StartsWith(realRoot, StringComparison.Ordinal))
            {
                throw new EngineException(EngineError.PathRefused, $"'{shown}' leads out of the adapter root through a link. Copy the adapter below the root.");
            }
        }
    }

    // The path with every link on the way followed.
    private static string Real(string path)
    {
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

            if (++links > MaxLinks)
            {
                throw new EngineException(EngineError.PathRefused, "The path has too many links.");
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

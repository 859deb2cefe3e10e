using LoraServe.Compute.Files;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Store.Files;

/// <summary>Keeps callers' paths below a root folder, links included.</summary>
public static class RootedPath
{
    /// <summary>The path of a directory or file below the root.</summary>
    /// <param name="root">The folder that callers can reach; null for none.</param>
    /// <param name="relative">A caller's path.</param>
    /// <param name="rootName">What callers know the root as, such as <c>adapter root</c>.</param>
    /// <exception cref="EngineException">It leaves the root, or does not exist.</exception>
    public static string Below(string? root, string relative, string rootName)
    {
        if (root is null)
        {
            throw new EngineException(EngineError.PathRefused, $"There is no {rootName}, so no path can be loaded. Start the server with one, or upload the files.");
        }

        bool isPlain = relative.Length > 0 && !relative.Contains('\0', StringComparison.Ordinal) && !Path.IsPathRooted(relative)
            && !relative.Split('/', '\\').Any(part => part is "" or "." or "..");
        if (!isPlain)
        {
            throw new EngineException(EngineError.PathRefused, $"The path must be relative to the {rootName}, without '.', '..' or empty parts.");
        }

        string path = Path.Combine(Path.GetFullPath(root), relative);
        if (!Path.Exists(path))
        {
            throw new EngineException(EngineError.PathRefused, $"There is no '{relative}' below the {rootName}.");
        }

        CheckLinks(root, path, relative, rootName);
        return path;
    }

    private static void CheckLinks(string root, string path, string shown, string rootName)
    {
        IEnumerable<string> all = Directory.Exists(path) ? Directory.EnumerateFileSystemEntries(path).Take(1000).Prepend(path) : [path];
        try
        {
            string realRoot = RealPath.Of(Path.GetFullPath(root)) + Path.DirectorySeparatorChar;
            if (!all.All(each => RealPath.Of(each).StartsWith(realRoot, StringComparison.Ordinal)))
            {
                throw new EngineException(EngineError.PathRefused, $"'{shown}' leads out of the {rootName} through a link. Copy the files below the root.");
            }
        }
        catch (IOException failure)
        {
            throw new EngineException(EngineError.PathRefused, failure.Message, failure);
        }
    }
}

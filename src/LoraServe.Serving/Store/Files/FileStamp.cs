using System.Globalization;
using LoraServe.Adapters.Files;

namespace LoraServe.Serving.Store.Files;

/// <summary>Sizes and times of an adapter's files: what tells cheaply that they may have been replaced.</summary>
internal static class FileStamp
{
    /// <summary>The stamp of a directory's files or of a GGUF file; empty where they cannot be looked at.</summary>
    public static string Of(string path)
    {
        try
        {
            IEnumerable<FileInfo> files = Directory.Exists(path) ? AdapterFileNames.All.Select(name => new FileInfo(Path.Combine(path, name))) : [new FileInfo(path)];
            return string.Join(' ', files.Where(file => file.Exists).Select(file => string.Create(CultureInfo.InvariantCulture, $"{file.Name}:{file.Length}:{file.LastWriteTimeUtc.Ticks}")));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}

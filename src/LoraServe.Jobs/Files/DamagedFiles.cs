using LoraServe.Compute.Files;
using Microsoft.Extensions.Logging;

namespace LoraServe.Jobs.Files;

/// <summary>What is damaged in the state folder is named, kept under another name for whoever wants to look at it, and stops nothing.</summary>
internal static partial class DamagedFiles
{
    private const string Suffix = ".damaged";

    /// <summary>Whether a file or folder has been set aside.</summary>
    public static bool IsAside(string path) => Path.GetFileName(path).Contains(Suffix, StringComparison.Ordinal);

    /// <summary>Gives a file or folder another name, and says so in the log.</summary>
    public static void SetAside(string path, string problem, ILogger logger)
    {
        string aside = path + Suffix;
        for (int number = 2; Path.Exists(aside); number++)
        {
            aside = $"{path}{Suffix}-{number}";
        }

        try
        {
            AtomicFile.Move(path, aside);
            LogSetAside(logger, path, problem, Path.GetFileName(aside));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogLeft(logger, path, problem, failure);
        }
    }

    [LoggerMessage(EventId = 20, Level = LogLevel.Error, Message = "{Path} is damaged and was set aside as {Aside}; the rest goes on. {Problem}")]
    private static partial void LogSetAside(ILogger logger, string path, string problem, string aside);

    [LoggerMessage(EventId = 21, Level = LogLevel.Error, Message = "{Path} is damaged and cannot be set aside; it is left out, and the rest goes on. {Problem}")]
    private static partial void LogLeft(ILogger logger, string path, string problem, Exception exception);
}

using LoraServe.Adapters;
using LoraServe.Compute.Files;
using LoraServe.Models;

namespace LoraServe.Cli;

/// <summary>Tells failures that the user can mend, which get one line, from faults of the program, which get a stack trace.</summary>
internal static class UserMistake
{
    /// <summary>One line for the user; null where the program is at fault.</summary>
    public static string? Describe(Exception exception) => exception switch
    {
        UsageException or AdapterFormatException or ModelFormatException or TensorFileException => exception.Message,
        FileNotFoundException { FileName: { } file } => $"{file}: no such file.",
        DirectoryNotFoundException or FileNotFoundException or UnauthorizedAccessException or IOException => exception.Message,
        _ => null,
    };
}

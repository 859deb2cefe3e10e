using LoraServe.Testing;

namespace LoraServe.Architecture.Tests;

/// <summary>A text that lies in the repository so that a change of it is seen and reviewed.</summary>
internal static class ReviewedText
{
    private const string Accept = "LORASERVE_ACCEPT_API";

    private static string Folder { get; } = Path.Combine(Repository.Root, "tests", "LoraServe.Architecture.Tests");

    /// <summary>Compares, or rewrites the file where the environment asks for it.</summary>
    /// <param name="path">Relative to this project.</param>
    /// <param name="text">What is true now.</param>
    public static void Check(string path, string text)
    {
        string file = Path.Combine(Folder, path);
        if (Environment.GetEnvironmentVariable(Accept) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
            return;
        }

        string reviewed = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";
        Assert.True(
            reviewed == text,
            $"tests/LoraServe.Architecture.Tests/{path} differs from what is built:\n{Difference(reviewed.Split('\n'), text.Split('\n'))}\n" +
            $"If the change is meant, run these tests once with {Accept}=1 and review the file with your change.");
    }

    /// <summary>Files of a folder that no text belongs to any more.</summary>
    public static void CheckNoOthers(string folder, IEnumerable<string> names) =>
        Rule.Holds(
            $"Every file of {folder} belongs to something that is built; delete the others.",
            Directory.GetFiles(Path.Combine(Folder, folder)).Select(Path.GetFileNameWithoutExtension).Except(names)!);

    private static string Difference(string[] before, string[] after)
    {
        IEnumerable<string> gone = before.Except(after, StringComparer.Ordinal).Select(line => $"- {line}");
        IEnumerable<string> come = after.Except(before, StringComparer.Ordinal).Select(line => $"+ {line}");
        string[] lines = [.. gone, .. come];
        return lines.Length > 0 ? string.Join('\n', lines) : "(the same lines in another order)";
    }
}

using System.Xml.Linq;
using LoraServe.Testing;

namespace LoraServe.Architecture.Tests;

/// <summary>The repository's own files: what is built or installed into it is left out.</summary>
internal static class SourceTree
{
    private static readonly HashSet<string> s_left =
        [".git", ".idea", ".vs", "__pycache__", "artifacts", "bin", "BenchmarkDotNet.Artifacts", "fixtures", "node_modules", "obj", "TestResults"];

    private static readonly string[] s_textExtensions = [".cs", ".csproj", ".json", ".js", ".md", ".props", ".proto", ".py", ".sh", ".txt", ".yaml", ".yml", ""];

    /// <summary>Every text file, as a path from the root with forward slashes.</summary>
    public static IReadOnlyList<string> TextFiles { get; } =
        [.. Walk(Repository.Root).Where(path => s_textExtensions.Contains(Path.GetExtension(path))).Order(StringComparer.Ordinal)];

    /// <summary>Every C# file below src and tests.</summary>
    public static IReadOnlyList<string> CodeFiles { get; } = [.. TextFiles.Where(path => path.EndsWith(".cs", StringComparison.Ordinal))];

    /// <summary>Names of the projects below src or tests.</summary>
    public static IReadOnlyList<string> Projects(string folder) =>
        [.. Directory.GetDirectories(Path.Combine(Repository.Root, folder), "LoraServe.*").Select(path => Path.GetFileName(path)!)
            .Where(name => File.Exists(ProjectFile(folder, name))).Order(StringComparer.Ordinal)];

    public static string ProjectFile(string folder, string name) => Path.Combine(Repository.Root, folder, name, $"{name}.csproj");

    /// <summary>What a project below src is compiled to: the command has a name of its own.</summary>
    public static string AssemblyOf(string project) =>
        XDocument.Load(ProjectFile("src", project)).Descendants("AssemblyName").Select(name => name.Value).SingleOrDefault(project);

    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Repository.Root, path));

    public static string Text(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));

    /// <summary>The lines of files on which a pattern is found, as <c>path:line: text</c>.</summary>
    public static IEnumerable<string> Matches(IEnumerable<string> files, System.Text.RegularExpressions.Regex pattern) =>
        from file in files
        from line in Lines(file).Index()
        where pattern.IsMatch(line.Item)
        select $"{file}:{line.Index + 1}: {line.Item.Trim()}";

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (string file in Directory.GetFiles(folder))
        {
            yield return Path.GetRelativePath(Repository.Root, file).Replace('\\', '/');
        }

        foreach (string file in Directory.GetDirectories(folder).Where(child => !s_left.Contains(Path.GetFileName(child))).SelectMany(Walk))
        {
            yield return file;
        }
    }
}

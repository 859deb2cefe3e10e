using LoraServe.Testing;

namespace LoraServe.Architecture.Tests;

/// <summary>Where things lie.</summary>
public sealed class LayoutTests
{
    private const long FixtureBudgetBytes = 8 << 20;

    private static readonly HashSet<string> s_rootEntries =
    [
        "src", "protos", "tests", "deploy", ".ci", "LoraServe.sln", "Dockerfile", ".dockerignore", "LICENSE",
        "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
        "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", ".editorconfig", ".gitattributes", ".gitignore",
    ];

    /// <summary>What tools leave in a working copy; none of it is part of the repository.</summary>
    private static readonly HashSet<string> s_leftovers = [".git", "artifacts", "node_modules", "TestResults", "BenchmarkDotNet.Artifacts", ".vs", ".idea", "shared"];

    /// <summary>Folders of tests that have no counterpart in src.</summary>
    private static readonly HashSet<string> s_testFolders =
    [
        "LoraServe.Adapters.Tests/Reference", // the plain arithmetic that edits are compared with
        "LoraServe.Models.Tests/Contract", // what every device owes, whichever it is
        "LoraServe.Models.Tests/Goldens", // what other programs computed, on every device
        "LoraServe.Server.Tests/Deployment", // the files of deploy
    ];

    [Fact]
    public void Root_HasTheUsualEntriesOnly() =>
        Rule.Holds(
            "The root holds src, protos, tests, deploy and the usual files.",
            Directory.GetFileSystemEntries(Repository.Root).Select(path => Path.GetFileName(path)!).Where(name => !s_rootEntries.Contains(name) && !s_leftovers.Contains(name)));

    [Fact]
    public void Fixtures_FitTheirBudget()
    {
        long bytes = Directory.GetFiles(Repository.Fixture(""), "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);

        Assert.True(bytes <= FixtureBudgetBytes, $"tests/fixtures holds {bytes} bytes; at most {FixtureBudgetBytes} travel with the repository.");
    }

    [Fact]
    public void Tests_MirrorTheFoldersOfTheirProject() =>
        Rule.Holds(
            "A folder of LoraServe.X.Tests is a folder of LoraServe.X, or listed here.",
            from project in SourceTree.Projects("src")
            from folder in TestFolders(project)
            where !s_testFolders.Any(listed => $"{project}.Tests/{folder}/".StartsWith($"{listed}/", StringComparison.Ordinal)) && !Directory.Exists(Path.Combine(Repository.Root, "src", project, folder))
            select $"tests/{project}.Tests/{folder}");

    [Fact]
    public void Deployments_HaveAShortReadme() =>
        Rule.Holds(
            "Every folder of deploy has a README of about ten lines.",
            from folder in Directory.GetDirectories(Path.Combine(Repository.Root, "deploy"))
            let readme = Path.Combine(folder, "README.md")
            where !File.Exists(readme) || File.ReadLines(readme).Count() > 15
            select Path.GetRelativePath(Repository.Root, readme));

    private static IEnumerable<string> TestFolders(string project) =>
        SourceTree.CodeFiles.Where(file => file.StartsWith($"tests/{project}.Tests/", StringComparison.Ordinal))
            .Select(file => Path.GetDirectoryName(Path.GetRelativePath($"tests/{project}.Tests", file))!.Replace('\\', '/'))
            .Where(folder => folder.Length > 0).Distinct();
}

using System.Text.RegularExpressions;
using LoraServe.Testing;

namespace LoraServe.Architecture.Tests;

/// <summary>Documents speak of what there is.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string[] s_documents = [.. SourceTree.TextFiles.Where(file => file.EndsWith(".md", StringComparison.Ordinal))];

    /// <summary>The first part of what is a path in this repository: a folder of the root, or a project without its prefix.</summary>
    private static readonly HashSet<string> s_beginnings =
        ["src", "protos", "tests", "deploy", ".ci", .. SourceTree.Projects("src").Select(project => project["LoraServe.".Length..]), .. SourceTree.Projects("src")];

    [Fact]
    public void Links_LeadToFiles() =>
        Rule.Holds(
            "A link to a file leads to one.",
            from document in s_documents
            from Match link in Link().Matches(SourceTree.Text(document))
            let target = link.Groups["target"].Value
            where !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith('#') && !target.StartsWith("mailto:", StringComparison.Ordinal)
            where !Exists(Path.Combine(Path.GetDirectoryName(document) ?? "", target.Split('#')[0]))
            select $"{document}: {target}");

    [Fact]
    public void Paths_Exist() =>
        Rule.Holds(
            "A path that a document names exists.",
            from document in s_documents
            from Match path in PathInCode().Matches(SourceTree.Text(document))
            let name = path.Groups["path"].Value
            where s_beginnings.Contains(name.Split('/')[0])
            where !new[] { name, $"src/{name}", $"src/LoraServe.{name}", $"src/LoraServe.{name}.cs" }.Any(Exists)
            select $"{document}: {name}");

    [Fact]
    public void Projects_Exist() =>
        Rule.Holds(
            "A project that a document names exists.",
            from document in s_documents
            from Match project in ProjectName().Matches(SourceTree.Text(document))
            where !SourceTree.Projects("src").Contains(project.Value) && !SourceTree.Projects("tests").Contains(project.Value)
            select $"{document}: {project.Value}");

    private static bool Exists(string path) =>
        File.Exists(Path.Combine(Repository.Root, path)) || Directory.Exists(Path.Combine(Repository.Root, path));

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    // No spaces, no wildcards and no placeholders: what has those is not one path.
    [GeneratedRegex(@"`(?<path>[\w.\-]+(?:/[\w.\-]+)+)/?`")]
    private static partial Regex PathInCode();

    [GeneratedRegex(@"\bLoraServe\.(?!sln\b|X\b|V1\b)(?:[A-Z]\w+)(?:\.Tests)?(?![\w:.(])")]
    private static partial Regex ProjectName();
}

using System.Reflection;
using System.Text.RegularExpressions;

namespace LoraServe.Architecture.Tests;

/// <summary>A folder is a namespace, and what is below knows nothing of what is above, inside projects as between them.</summary>
public sealed partial class NamespaceTests
{
    /// <summary>Uses that make a circle today; one that is gone is taken out of the list, none is added.</summary>
    private static readonly HashSet<string> s_circles =
    [
        "LoraServe.Training → LoraServe.Training.Losses",
        "LoraServe.Training → LoraServe.Training.Methods",
        "LoraServe.Training → LoraServe.Training.Ranks",
        "LoraServe.Training → LoraServe.Training.Ranks.Policies",
        "LoraServe.Training → LoraServe.Training.Runs",
        "LoraServe.Training.Reports.Plots → LoraServe.Training.Reports",
    ];

    public static TheoryData<string> Projects => [.. SourceTree.Projects("src")];

    [Fact]
    public void Namespaces_AreFolders() =>
        Rule.Holds(
            "The namespace of a file is its folder's path from src or tests.",
            from file in SourceTree.CodeFiles
            let folder = string.Join('.', file.Split('/')[1..^1])
            from Match space in Namespace().Matches(SourceTree.Text(file))
            where space.Groups["name"].Value != folder
            select $"{file}: {space.Groups["name"].Value}");

    [Theory]
    [MemberData(nameof(Projects))]
    public void Namespaces_MakeNoCircle(string project) =>
        Rule.Holds("No two namespaces of a project use each other, by whatever way round.", GraphOf(project).Circles(s_circles));

    [Fact]
    public void Circles_AreStillThere()
    {
        NamespaceGraph[] graphs = [.. SourceTree.Projects("src").Select(GraphOf)];
        Rule.Holds(
            "What is listed as a circle is one.",
            s_circles.Where(use => !graphs.Any(graph => graph.Circles([.. s_circles.Where(other => other != use)]).Any(circle => circle.StartsWith($"{use}:", StringComparison.Ordinal)))));
    }

    private static NamespaceGraph GraphOf(string project) => NamespaceGraph.Of(Assembly.Load(SourceTree.AssemblyOf(project)).Location);

    [GeneratedRegex(@"^namespace (?<name>[\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}

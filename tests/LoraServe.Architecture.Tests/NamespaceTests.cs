using System.Reflection;
using System.Text.RegularExpressions;
using Mono.Cecil;
using FieldAttributes = Mono.Cecil.FieldAttributes;
using TypeAttributes = Mono.Cecil.TypeAttributes;

namespace LoraServe.Architecture.Tests;

/// <summary>A folder is a namespace, and what is below knows nothing of what is above, inside projects as between them.</summary>
public sealed partial class NamespaceTests
{
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
        Rule.Holds("No two namespaces of a project use each other, by whatever way round.", NamespaceGraph.Of(Assembly.Load(SourceTree.AssemblyOf(project)).Location).Circles());

    [Theory]
    [InlineData(new string[] { "A B", "B C", "D A" }, new string[] { })]
    [InlineData(new string[] { "A B", "B C", "C A", "D A" }, new string[] { "A → B", "B → C", "C → A" })]
    public void Circles_OfSmallModules_AreThoseThatAreThere(string[] uses, string[] circles)
    {
        using var module = ModuleDefinition.CreateModule("small", ModuleKind.Dll);
        foreach (string space in uses.SelectMany(use => use.Split(' ')).Distinct())
        {
            module.Types.Add(new TypeDefinition($"LoraServe.{space}", "Thing", TypeAttributes.Class, module.TypeSystem.Object));
        }

        foreach (string[] use in uses.Select(use => use.Split(' ')))
        {
            module.GetType($"LoraServe.{use[0]}.Thing").Fields.Add(new FieldDefinition(use[1], FieldAttributes.Private, module.GetType($"LoraServe.{use[1]}.Thing")));
        }

        Assert.Equal(circles, new NamespaceGraph(module).Circles().Select(circle => circle.Split(':')[0].Replace("LoraServe.", "", StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"^namespace (?<name>[\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}

using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace LoraServe.Architecture.Tests;

public sealed class ProjectReferenceTests
{
    /// <summary>Everything that a project may name; references point down only.</summary>
    private static readonly Dictionary<string, string[]> s_references = new()
    {
        ["LoraServe.Compute"] = [],
        ["LoraServe.Grammars"] = [],
        ["LoraServe.Templates"] = [],
        ["LoraServe.Tokenization"] = [],
        ["LoraServe.Adapters"] = ["LoraServe.Compute"],
        ["LoraServe.Models"] = ["LoraServe.Adapters", "LoraServe.Templates", "LoraServe.Tokenization"],
        ["LoraServe.Cpu"] = ["LoraServe.Models"],
        ["LoraServe.Torch"] = ["LoraServe.Models"],
        ["LoraServe.Serving"] = ["LoraServe.Grammars", "LoraServe.Models"],
        ["LoraServe.Training"] = ["LoraServe.Models"],
        ["LoraServe.Studio"] = ["LoraServe.Serving", "LoraServe.Training"],
        ["LoraServe.Contracts"] = [],
        ["LoraServe.Client"] = ["LoraServe.Contracts"],
        ["LoraServe.Jobs"] = ["LoraServe.Serving", "LoraServe.Training"],
        ["LoraServe.Server"] = ["LoraServe.Contracts", "LoraServe.Jobs"],
        ["LoraServe.Cli"] = ["LoraServe.Client", "LoraServe.Cpu", "LoraServe.Server", "LoraServe.Studio", "LoraServe.Torch"],
    };

    /// <summary>The engine: everything below the surfaces.</summary>
    private static readonly string[] s_engine = ["LoraServe.Compute", "LoraServe.Grammars", "LoraServe.Templates", "LoraServe.Tokenization", "LoraServe.Adapters", "LoraServe.Models", "LoraServe.Cpu", "LoraServe.Torch", "LoraServe.Serving", "LoraServe.Training", "LoraServe.Jobs", "LoraServe.Studio"];

    [Fact]
    public void SourceProjects_ReferenceWhatIsDrawn_AndNothingElse() =>
        Assert.Equal(
            s_references.OrderBy(project => project.Key, StringComparer.Ordinal).Select(project => $"{project.Key} → {string.Join(", ", project.Value)}"),
            SourceTree.Projects("src").Select(project => $"{project} → {string.Join(", ", References("src", project).Order(StringComparer.Ordinal))}"));

    [Fact]
    public void Internals_AreSharedWithTestsOnly() =>
        Rule.Holds(
            "What another project below src needs is public: InternalsVisibleTo is for tests.",
            Friends());

    [Fact]
    public void SourceProjects_HaveATestProjectThatReferencesThem() =>
        // What protoc writes has the text of the wire contract for a test.
        Rule.Holds(
            "Every project below src has a project of tests that references it.",
            SourceTree.Projects("src").Where(project => project != "LoraServe.Contracts")
                .Where(project => !File.Exists(SourceTree.ProjectFile("tests", $"{project}.Tests")) || !References("tests", $"{project}.Tests").Contains(project)));

    [Fact]
    public void Solution_HasEveryProject()
    {
        string solution = SourceTree.Text("LoraServe.sln");
        Rule.Holds(
            "Every project is part of LoraServe.sln.",
            SourceTree.Projects("src").Concat(SourceTree.Projects("tests")).Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Engine_KnowsNoAspNetCoreAndNoGrpc() =>
        Rule.Holds(
            "What lies below the surfaces uses neither ASP.NET Core, gRPC, protobuf, OpenTelemetry nor what draws the command line.",
            from project in s_engine
            from reference in Assembly.Load(project).GetReferencedAssemblies()
            where reference.Name is { } name
                && (name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) || name.StartsWith("Grpc", StringComparison.Ordinal)
                    || name.StartsWith("Google", StringComparison.Ordinal) || name.StartsWith("OpenTelemetry", StringComparison.Ordinal)
                    || name is "LoraServe.Contracts" or "LoraServe.Client" or "LoraServe.Server" or "System.CommandLine" or "Spectre.Console")
            select $"{project} → {reference.Name}");

    [Fact]
    public void Client_KnowsNothingOfTheEngine() =>
        Rule.Holds(
            "The client and the contracts can be used without the engine.",
            from project in new[] { "LoraServe.Client", "LoraServe.Contracts" }
            from reference in Assembly.Load(project).GetReferencedAssemblies()
            where s_engine.Contains(reference.Name) || reference.Name == "LoraServe.Server"
            select $"{project} → {reference.Name}");

    private static IEnumerable<string> Friends() =>
        from project in SourceTree.Projects("src")
        from friend in Assembly.Load(SourceTree.AssemblyOf(project)).GetCustomAttributes<InternalsVisibleToAttribute>()
        where SourceTree.Projects("src").Contains(friend.AssemblyName)
        select $"{project} → {friend.AssemblyName}";

    private static HashSet<string> References(string folder, string project) =>
        [.. XDocument.Load(SourceTree.ProjectFile(folder, project)).Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value))];
}

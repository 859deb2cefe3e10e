using System.Text.RegularExpressions;
using LoraServe.Testing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace LoraServe.Client.Tests;

/// <summary>The README's C# is compiled as it stands, one sample after another in one program.</summary>
public sealed partial class ReadmeSamplesTests
{
    /// <summary>What a sample takes for given: a container's services, and what a new project of .NET imports by itself.</summary>
    private const string Given = """
        using System;
        using System.Threading.Tasks;
        """;

    private const string Services = "var services = new Microsoft.Extensions.DependencyInjection.ServiceCollection();";

    [Fact]
    public void Samples_OfTheReadme_Compile()
    {
        string[] samples = [.. Sample().Matches(File.ReadAllText(Path.Combine(Repository.Root, "README.md"))).Select(sample => sample.Groups[1].Value)];
        Assert.Equal(4, samples.Length);
        string[] lines = [.. samples.SelectMany(sample => sample.Split('\n'))];
        string program = string.Join('\n', [Given, .. lines.Where(IsImport).Distinct(), Services, .. lines.Where(line => !IsImport(line))]);
        var compilation = CSharpCompilation.Create(
            "samples",
            [CSharpSyntaxTree.ParseText(program)],
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication));

        Assert.Empty(compilation.GetDiagnostics().Where(found => found.Severity == DiagnosticSeverity.Error));
    }

    private static bool IsImport(string line) => Import().IsMatch(line);

    [GeneratedRegex("^```csharp\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Sample();

    [GeneratedRegex(@"^using [\w.]+;$")]
    private static partial Regex Import();
}

using System.Reflection;
using Xunit.Sdk;

namespace LoraServe.Architecture.Tests;

/// <summary>xunit fails a theory without data; one whose data are files that may not be there names what is missing and skips.</summary>
public sealed class TheoryDataTests
{
    public static TheoryData<string> Projects => [.. SourceTree.Projects("tests").Where(project => project.EndsWith(".Tests", StringComparison.Ordinal))];

    [SkippableTheory]
    [MemberData(nameof(Projects))]
    public void Theories_WithoutTheSharedFiles_HaveData(string project)
    {
        Assembly? tests = LoneTestAssembly.Load(project);
        Skip.If(tests is null, $"{project} is not here: it has not been built.");

        Rule.Holds(
            "A theory has a row also where the shared files are not: SharedFiles.Cases makes one that is skipped.",
            from type in tests.GetTypes()
            from method in type.GetMethods()
            from data in method.GetCustomAttributes<DataAttribute>()
            where data.Skip is null && !data.GetData(method).Any()
            select $"{type.FullName}.{method.Name}");
    }
}

using System.Reflection;

namespace LoraServe.Architecture.Tests;

public sealed class PublicApiTests
{
    /// <summary>Nothing of the command can be referenced, and the contracts have a text of their own.</summary>
    private static readonly string[] s_libraries = [.. SourceTree.Projects("src").Where(project => project is not ("LoraServe.Cli" or "LoraServe.Contracts"))];

    public static TheoryData<string> Libraries => [.. s_libraries];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Library_HasTheReviewedApi(string library) =>
        ReviewedText.Check($"PublicApi/{library}.txt", ApiText.Of(Assembly.Load(library)));

    [Fact]
    public void Folder_HasNoOtherTexts() => ReviewedText.CheckNoOthers("PublicApi", s_libraries);
}

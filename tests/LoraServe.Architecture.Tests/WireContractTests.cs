using System.Reflection;
using Google.Protobuf.Reflection;

namespace LoraServe.Architecture.Tests;

public sealed class WireContractTests
{
    [Fact]
    public void Protos_AreAsReviewed()
    {
        FileDescriptor[] files =
        [
            .. Assembly.Load("LoraServe.Contracts").GetExportedTypes()
                .Where(type => type.Name.EndsWith("Reflection", StringComparison.Ordinal))
                .Select(type => type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null)).OfType<FileDescriptor>(),
        ];
        IGrouping<string, FileDescriptor>[] packages = [.. files.GroupBy(file => file.Package)];

        Assert.Contains(packages, package => package.Key == "loraserve.v1");
        ReviewedText.CheckNoOthers("WireContract", packages.Select(package => package.Key));
        Assert.All(packages, package => ReviewedText.Check($"WireContract/{package.Key}.txt", WireText.Of(package)));
    }
}

using LoraServe.Models.Forward;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Tests.Store.Residency;

/// <summary>Adapter versions that are only counted: they have sizes, but no files.</summary>
internal static class Versions
{
    public static AdapterVersion Create(string name, long bytes, params SharedPart[] shared) => new(new AdapterManifest
    {
        Name = name,
        Version = 1,
        Digest = name,
        Owner = "",
        Source = AdapterSource.Directory,
        Method = "LORA",
        MinimumRank = 1,
        MaximumRank = 1,
        FileBytes = bytes,
        HostBytes = bytes,
        ResidentBytes = bytes,
        SharedParts = shared,
        InvocationTokens = [],
        PublishedAt = default,
    });

    public static AdapterVersion[] Create(int count, long bytes) => [.. Enumerable.Range(0, count).Select(i => Create($"a{i}", bytes))];

    public static AdapterStack Stack(params AdapterVersion[] versions) => new([.. versions.Select(version => (version, 1f, (int?)null))]);
}

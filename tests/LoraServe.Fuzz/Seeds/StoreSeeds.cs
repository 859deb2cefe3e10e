using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Names;
using LoraServe.Serving.Store.Versions;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Seeds;

/// <summary>What a server's store keeps.</summary>
internal static class StoreSeeds
{
    /// <summary>A list of two versions of a name, with aliases and a pin.</summary>
    public static byte[] Names()
    {
        AdapterNames names = AdapterNames.Empty.With(Principal.Operator, Version(1), ["live"], isPinned: true).With(Principal.Operator, Version(2), ["next"], isPinned: false);
        using var folder = new TemporaryDirectory();
        new NamesFile(folder.Path, TimeProvider.System).Save(names);
        return File.ReadAllBytes(folder.File("adapters.json"));
    }

    private static AdapterVersion Version(int number) => new(new AdapterManifest
    {
        Name = "a",
        Version = number,
        Digest = new string((char)('0' + number), 64),
        Owner = "",
        Source = AdapterSource.Directory,
        Method = "LORA",
        MinimumRank = 1,
        MaximumRank = 8,
        FileBytes = 100,
        HostBytes = 100,
        ResidentBytes = 100,
        InvocationTokens = [1, 2],
        PublishedAt = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
    });
}

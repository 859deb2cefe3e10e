using System.Collections.Immutable;

namespace LoraServe.Fuzz.Seeds;

/// <summary>Files that are as they should be, which damage begins with.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Files">Its files, by name; of those below the folder by the path from it.</param>
internal sealed record Seed(string Name, ImmutableSortedDictionary<string, byte[]> Files)
{
    /// <summary>Largest file that is damaged: of larger ones most is weights or words, and they take long.</summary>
    private const long LargestFile = 300_000;

    /// <summary>One file.</summary>
    public static Seed Of(string name, string file, byte[] content) => new(name, ImmutableSortedDictionary<string, byte[]>.Empty.WithComparers(StringComparer.Ordinal).Add(file, content));

    /// <summary>The files of a folder and those below it that are wanted; null where one is too large.</summary>
    public static Seed? Read(string folder, Func<string, bool> isWanted)
    {
        string[] paths = [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(path => isWanted(Path.GetFileName(path)))];
        return paths.Any(path => new FileInfo(path).Length > LargestFile)
            ? null
            : new Seed(Path.GetFileName(folder), paths.ToImmutableSortedDictionary(path => Path.GetRelativePath(folder, path), File.ReadAllBytes, StringComparer.Ordinal));
    }

    /// <summary>Whether a file of a model or an adapter is read, and not what a test expects of it.</summary>
    public static bool IsRead(string name) => Path.GetExtension(name) is ".json" or ".safetensors" && !name.StartsWith("expected", StringComparison.Ordinal);

    /// <summary>Files of a folder as seeds of one file each, under one name.</summary>
    public static IEnumerable<Seed> Each(string? folder, string pattern, string file) => folder is null
        ? []
        : Directory.GetFiles(folder, pattern).Where(path => new FileInfo(path).Length <= LargestFile).Order(StringComparer.Ordinal)
            .Select(path => Of(Path.GetFileName(path), file, File.ReadAllBytes(path)));

    /// <summary>Folders below one, each a seed.</summary>
    public static IEnumerable<Seed> Folders(string? folder, Func<string, bool> isWanted) => folder is null
        ? []
        : Directory.GetDirectories(folder).Order(StringComparer.Ordinal).Select(path => Read(path, isWanted)).OfType<Seed>().Where(seed => seed.Files.Count > 0);

    /// <summary>Writes the files.</summary>
    public void Write(string folder)
    {
        foreach ((string name, byte[] content) in Files)
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }
    }

    /// <summary>Damages one file, sometimes two, with pieces of another seed.</summary>
    public Seed Mutate(Random random, Seed other)
    {
        string[] names = [.. Files.Keys];
        Seed mutated = this;
        for (int i = random.Next(4) == 0 ? 2 : 1; i > 0; i--)
        {
            string name = names[random.Next(names.Length)];
            mutated = mutated with { Files = mutated.Files.SetItem(name, Mutation.FileMutator.Mutate(random, name, mutated.Files[name], other.Files.GetValueOrDefault(name) ?? [])) };
        }

        return mutated;
    }
}

using System.Globalization;
using System.Text.RegularExpressions;

namespace LoraServe.Compute.Files;

/// <summary>The files that llama.cpp's gguf-split divides a GGUF file into: <c>NAME-00001-of-00003.gguf</c> and so on, the first with the metadata.</summary>
internal static partial class GgufShards
{
    private const string NumberKey = "split.no";
    private const string CountKey = "split.count";
    private const string TensorsKey = "split.tensors.count";
    private const int MostShards = 99_999;

    /// <summary>The paths of all shards of which a file is one; null where it is whole.</summary>
    /// <exception cref="TensorFileException">They are not all there.</exception>
    public static IReadOnlyList<string>? PathsBeside(GgufFile file)
    {
        long count = file.Metadata.FindInteger(CountKey) ?? 1;
        if (count is 0 or 1)
        {
            return null;
        }

        if (count is < 0 or > MostShards)
        {
            throw new TensorFileException(file.Path, $"metadata '{CountKey}' is {count}; expected 1 to {MostShards}");
        }

        long number = (file.Metadata.FindInteger(NumberKey) ?? 0) + 1;
        string folder = Path.GetDirectoryName(file.Path) ?? "";
        Match name = ShardName().Match(Path.GetFileName(file.Path));
        if (!name.Success || name.Groups["number"].Value != Digits(number) || name.Groups["count"].Value != Digits(count))
        {
            throw new TensorFileException(file.Path, $"is shard {number} of {count} of a model that was split; expected a name that ends with '-{Digits(number)}-of-{Digits(count)}.gguf', and the others beside it");
        }

        string[] paths = [.. Enumerable.Range(1, (int)count).Select(shard => Path.Combine(folder, $"{name.Groups["name"].Value}-{Digits(shard)}-of-{Digits(count)}.gguf"))];
        string[] missing = [.. paths.Where(path => !File.Exists(path)).Select(path => Path.GetFileName(path)!)];
        return missing.Length == 0
            ? paths
            : throw new TensorFileException(file.Path, $"is shard {number} of {count} of a model that was split, and {string.Join(", ", missing.Take(3))}{(missing.Length > 3 ? $" and {missing.Length - 3} more" : "")} is not beside it; download all of them");
    }

    /// <summary>Refuses a shard that is another than its name says.</summary>
    public static void CheckNumber(GgufFile shard, int number)
    {
        if (shard.Metadata.FindInteger(NumberKey) is var found && found != number)
        {
            throw new TensorFileException(shard.Path, $"metadata '{NumberKey}' is {found?.ToString(CultureInfo.InvariantCulture) ?? "missing"}; expected {number} by the file's name");
        }
    }

    /// <summary>Refuses shards that together have not all tensors.</summary>
    public static void CheckTotal(GgufFile whole)
    {
        CheckNumber(whole, 0);
        int found = whole.Tensors.Count + whole.UnsupportedTensors.Count;
        if (whole.Metadata.FindInteger(TensorsKey) is { } expected && expected != found)
        {
            throw new TensorFileException(whole.Path, $"metadata '{TensorsKey}' is {expected}, but the shards hold {found} tensors; download all of them again");
        }
    }

    private static string Digits(long number) => number.ToString("00000", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<name>.+)-(?<number>[0-9]{5})-of-(?<count>[0-9]{5})\.gguf$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex ShardName();
}

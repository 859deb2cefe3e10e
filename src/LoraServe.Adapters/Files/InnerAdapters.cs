using System.Globalization;
using System.Text.Json;
using LoraServe.Compute.Files;

namespace LoraServe.Adapters.Files;

/// <summary>The adapters that an adapter is made of, which lie in directories of their own: of X-LoRA those that its configuration's 'adapters' names.</summary>
/// <remarks>
/// Its keys are numbers from 0. One lies in the folder below the adapter's own that has its number for a name, where PEFT saves it; else where
/// its path says, from the adapter's own directory or from one above it, see <see cref="AdapterLimits.Root"/>.
/// </remarks>
internal static class InnerAdapters
{
    /// <summary>The peft_type of adapters that are made of others.</summary>
    public const string XLora = "XLORA";

    private const string Field = "adapters";
    private const int MostAdapters = 64;
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>Whether a configuration is that of an adapter which is made of others.</summary>
    public static bool IsOuter(byte[] config) => Parse(config) is not null;

    /// <summary>Whether a name is that of a folder which an adapter can have for one of those that it is made of.</summary>
    public static bool IsFolder(string name) => Number(name) is < MostAdapters;

    /// <summary>Their directories, in order; none where it is made of none.</summary>
    /// <exception cref="AdapterFormatException">The configuration names none, too many, or one that is not where it may be.</exception>
    public static IReadOnlyList<string> PathsIn(string directory, byte[] config, AdapterLimits limits)
    {
        if (Parse(config) is not { } root)
        {
            return [];
        }

        string file = Path.Combine(directory, AdapterFileNames.Config);
        if (!root.TryGetProperty(Field, out JsonElement adapters) || adapters.ValueKind != JsonValueKind.Object || adapters.GetPropertyCount() is 0 or > MostAdapters)
        {
            throw new AdapterFormatException(
                $"{file}: field '{Field}' names no adapters, or more than {MostAdapters}; expected an object from numbers to directories. Save the adapter again.");
        }

        string[] paths = new string[adapters.GetPropertyCount()];
        foreach (JsonProperty entry in adapters.EnumerateObject())
        {
            // PEFT activates adapters by these names and loads them by number: others would do nothing there.
            int number = Number(entry.Name) is { } known && known < paths.Length
                ? known
                : throw new AdapterFormatException($"{file}: field '{Field}' names an adapter '{Shown(entry.Name)}'; expected 0 to {paths.Length - 1}, as PEFT numbers them. Name them by their numbers.");
            paths[number] = Find(file, directory, entry, limits.Root is null ? null : Path.GetFullPath(limits.Root));
        }

        return paths;
    }

    private static string Find(string file, string directory, JsonProperty entry, string? root)
    {
        directory = Path.GetFullPath(directory);
        string own = Path.Combine(directory, entry.Name);
        if (IsAdapter(own))
        {
            return Checked(file, own, root);
        }

        string advice = $"Put the adapter's files into {own}.";
        string path = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
        if (path.Length == 0 || Path.IsPathRooted(path) || path.AsSpan().ContainsAny('\\', '\0') || path.Split('/').Contains(".."))
        {
            throw new AdapterFormatException($"{file}: field '{Field}' has {Shown(entry.Value.GetRawText())} for {entry.Name}; expected a relative path without '..'. {advice}");
        }

        for (string? from = directory; from is not null; from = root is null || IsBelow(from, root) ? Path.GetDirectoryName(from) : null)
        {
            string found = Path.GetFullPath(Path.Combine(from, path));
            if (IsAdapter(found))
            {
                return Checked(file, found, root);
            }
        }

        string where = "whether from its own directory or from one above that may be looked in";
        throw new AdapterFormatException($"{file}: field '{Field}' has {Shown(entry.Value.GetRawText())} for {entry.Name}, and there is no adapter there, {where}. {advice}");
    }

    private static string Checked(string file, string found, string? root)
    {
        try
        {
            // Just what is read of it, and all of that.
            string realRoot = root is null ? "" : RealPath.Of(root);
            return root is null || AdapterFileNames.PartsIn(found).Select(name => Path.Combine(found, name)).Prepend(found).All(path => IsBelow(RealPath.Of(path), realRoot))
                ? found
                : throw new AdapterFormatException($"{file}: field '{Field}' leads to {found}, which a link takes out of where it may lie. Copy the files.");
        }
        catch (IOException failure)
        {
            throw new AdapterFormatException($"{found}: cannot be read ({failure.Message}). Copy the files.", failure);
        }
    }

    private static bool IsBelow(string path, string root) => path.StartsWith(Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static bool IsAdapter(string path) => File.Exists(Path.Combine(path, AdapterFileNames.Config));

    private static int? Number(string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number.ToString(CultureInfo.InvariantCulture) == name ? number : null;

    private static string Shown(string text) => text.Length > 80 ? text[..80] + "…" : text;

    /// <summary>The configuration of an adapter that is made of others; null for another's. What is wrong with it otherwise, its reader says.</summary>
    private static JsonElement? Parse(byte[] config)
    {
        try
        {
            using var document = JsonDocument.Parse(config, s_strict);
            JsonElement root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("peft_type", out JsonElement type) && type.ValueKind == JsonValueKind.String && type.ValueEquals(XLora)
                ? root.Clone()
                : null;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}

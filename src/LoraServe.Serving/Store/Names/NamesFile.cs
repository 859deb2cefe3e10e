using System.Text.Json;
using System.Text.Json.Serialization;
using LoraServe.Compute.Files;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store.Names;

/// <summary>The list of names on disk, so that they survive a restart. Replaced as a whole, so that it is never half written.</summary>
/// <param name="folder">Where it lies.</param>
/// <param name="time">The clock, for the names of damaged lists.</param>
internal sealed partial class NamesFile(string folder, TimeProvider time)
{
    private const string FileName = "adapters.json";

    // The first had no number, and no owners but those of versions; the second still said where files lie. What was added
    // within a format is ignored by servers that do not know it.
    private const int Format = 3;

    private readonly string _path = Path.Combine(folder, FileName);
    private byte[]? _written;
    private bool _isDamaged;

    /// <summary>Whether the list on disk may be that of a change that failed, because the one before could not be put back.</summary>
    public bool IsUncertain { get; private set; }

    /// <summary>Whether a list that was damaged was set aside, now or at an earlier start, and is still there.</summary>
    public bool HasDamaged => _isDamaged || Directory.EnumerateFiles(folder, $"{FileName}.damaged-*").Any();

    /// <summary>Reads the list. What is damaged is set aside: the whole file where it cannot be read, else a copy of it, and what is good is taken.</summary>
    /// <param name="takeIn">Takes in files of a version whose list says where they lie, as those of older servers do; gives what callers know them as.</param>
    /// <exception cref="EngineException">It was written by a server that is newer than this one.</exception>
    public NamesList Load(Func<AdapterManifest, string, string> takeIn)
    {
        if (!File.Exists(_path))
        {
            return NamesList.Empty;
        }

        try
        {
            byte[] bytes = File.ReadAllBytes(_path);
            using JsonDocument document = JsonDocument.Parse(bytes);
            int format = FormatOf(document.RootElement);
            var reader = new NamesReader(document.RootElement, takeIn);
            AdapterNames names = reader.Read();
            _written = bytes;
            return new NamesList(names, reader.Faults.Count == 0 ? [] : [.. reader.Faults, SetAside(bytes)], SaysWhatIsKept: format > 1);
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException or FormatException or IOException or UnauthorizedAccessException)
        {
            return NamesList.Empty with { Faults = [$"It cannot be read: {damage.Message}", SetAside(null)] };
        }
    }

    /// <summary>Replaces the list. It is on the disk when this returns, and as it was before when this fails.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void Save(AdapterNames names)
    {
        if (_isDamaged)
        {
            throw new IOException($"{_path} is damaged and could not be set aside, so it is not replaced. Move it away and start again.");
        }

        byte[] next = JsonSerializer.SerializeToUtf8Bytes(StateOf(names), StateJson.Default.State);
        try
        {
            AtomicFile.WriteAllBytes(_path, next);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            PutBack();
            throw;
        }

        _written = next;
        IsUncertain = false;
    }

    private int FormatOf(JsonElement root)
    {
        int format = root.TryGetProperty(nameof(State.Format), out JsonElement number) ? number.GetInt32() : 1;
        return format <= Format
            ? format
            : throw new EngineException(
                EngineError.StorageFailed,
                $"{_path} has format {format}, written by a newer LoraServe; this one reads formats up to {Format}. Start the newer one, or move the file away to begin with no names.");
    }

    // Where it lies now, as a sentence. The file itself is moved where nothing of it was taken, else the bytes are copied.
    private string SetAside(byte[]? copy)
    {
        string aside = $"{_path}.damaged-{time.GetUtcNow():yyyyMMdd'T'HHmmssfff'Z'}";
        try
        {
            if (copy is null)
            {
                AtomicFile.Move(_path, aside);
            }
            else
            {
                AtomicFile.WriteAllBytes(aside, copy);
            }

            return $"The list as it was is {aside}.";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // What is not safe elsewhere is not overwritten.
            _isDamaged = true;
            return $"It could not be set aside ({failure.Message}), so names cannot be changed until it is moved away.";
        }
    }

    // The folder's flush can fail when the new list has taken the name already.
    private void PutBack()
    {
        try
        {
            byte[]? there = File.Exists(_path) ? File.ReadAllBytes(_path) : null;
            if (there is null ? _written is null : there.AsSpan().SequenceEqual(_written) && _written is not null)
            {
                return;
            }

            if (_written is null)
            {
                File.Delete(_path);
            }
            else
            {
                AtomicFile.WriteAllBytes(_path, _written);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            IsUncertain = true;
        }
    }

    private static State StateOf(AdapterNames names) => new()
    {
        Format = Format,
        Generation = names.Generation,
        Versions = [.. names.Versions.Select(version => version.Manifest)],
        LastVersions = names.Entries.ToDictionary(name => name.Key, name => name.Value.LastVersion),
        Owners = names.Entries.Where(name => name.Value.Owner is not null).ToDictionary(name => name.Key, name => name.Value.Owner!),
        Aliases = names.Aliases.Where(alias => alias.Value.Target is not null).ToDictionary(alias => alias.Key, alias => alias.Value.Target!.ToString()),
        AliasOwners = names.Aliases.ToDictionary(alias => alias.Key, alias => alias.Value.Owner),
        Pinned = [.. names.Pinned.Select(version => version.ToString()).Order(StringComparer.Ordinal)],
        Kept = [.. names.Kept.Order(StringComparer.Ordinal)],
    };

    /// <summary>What survives.</summary>
    internal sealed record State
    {
        public int Format { get; init; }

        public long Generation { get; init; }

        public AdapterManifest[] Versions { get; init; } = [];

        public Dictionary<string, int> LastVersions { get; init; } = [];

        public Dictionary<string, string> Owners { get; init; } = [];

        public Dictionary<string, string> Aliases { get; init; } = [];

        public Dictionary<string, string> AliasOwners { get; init; } = [];

        public string[] Pinned { get; init; } = [];

        public string[] Kept { get; init; } = [];
    }

    [JsonSourceGenerationOptions(WriteIndented = true, UseStringEnumConverter = true, RespectNullableAnnotations = true)]
    [JsonSerializable(typeof(State))]
    internal sealed partial class StateJson : JsonSerializerContext;
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoraServe.Serving.Store;

/// <summary>The list of names on disk, so that they survive a restart. Replaced as a whole, so that it is never half written.</summary>
internal sealed partial class CatalogFile(string folder)
{
    private readonly string _path = Path.Combine(folder, "adapters.json");

    /// <summary>Reads the file; empty where there is none.</summary>
    /// <exception cref="EngineException">It is damaged.</exception>
    public State Load()
    {
        if (!File.Exists(_path))
        {
            return new State();
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(_path), StateJson.Default.State) ?? new State();
        }
        catch (JsonException damage)
        {
            throw new EngineException(EngineError.AdapterUnavailable, $"{_path} is damaged: {damage.Message} Restore it, or remove it to begin with no names.", damage);
        }
    }

    /// <summary>Writes the file.</summary>
    public void Save(State state)
    {
        string temporary = $"{_path}.tmp";
        using (FileStream stream = File.Create(temporary))
        {
            JsonSerializer.Serialize(stream, state, StateJson.Default.State);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, _path, overwrite: true);
    }

    /// <summary>What survives.</summary>
    internal sealed record State
    {
        public AdapterManifest[] Versions { get; init; } = [];

        public Dictionary<string, int> LastVersions { get; init; } = [];

        public Dictionary<string, string> Aliases { get; init; } = [];

        public string[] Pinned { get; init; } = [];
    }

    [JsonSourceGenerationOptions(WriteIndented = true, UseStringEnumConverter = true)]
    [JsonSerializable(typeof(State))]
    private sealed partial class StateJson : JsonSerializerContext;
}

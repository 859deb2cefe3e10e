using System.Text.Json;

namespace LoraServe.Adapters.Peft;

/// <summary>Values for some modules: rank_pattern and alpha_pattern. The first pattern that matches a module's path decides.</summary>
internal sealed class ModulePatternMap<T>(ConfigFields fields, string field, Func<string, JsonElement, T> read)
    where T : struct
{
    private readonly (string Key, Lazy<ModulePattern> Pattern, T Value)[] _entries =
        [.. fields.Entries(field).Select(entry => (
            entry.Name,
            new Lazy<ModulePattern>(() => ModulePattern.Tail(fields.File, entry.Name)),
            read($"{field}.{entry.Name}", entry.Value)))];

    /// <summary>The module's value; null where no pattern matches.</summary>
    public T? Find(string path)
    {
        foreach ((string key, Lazy<ModulePattern> pattern, T value) in _entries)
        {
            // Files often list every module by its path: then no expression decides.
            if (path == key || pattern.Value.IsMatch(path))
            {
                return value;
            }
        }

        return null;
    }
}

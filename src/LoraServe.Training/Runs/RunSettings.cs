using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using LoraServe.Training.Options;

namespace LoraServe.Training.Runs;

/// <summary>What decides what a run makes, as names and values to compare runs by: its options, its base, and what tells its rows from others.</summary>
internal static class RunSettings
{
    private const int MostNamed = 6;
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };


    /// <summary>The settings of a run.</summary>
    /// <param name="options">As they were asked for: what a policy chooses follows from them.</param>
    /// <param name="rows">Its rows. They count by their content, wherever their files lie.</param>
    /// <param name="baseFingerprint">What tells its base from others.</param>
    public static JsonObject Of(TrainingJobOptions options, RunRows rows, string baseFingerprint)
    {
        JsonObject settings = JsonSerializer.SerializeToNode(options with { InitFrom = options.InitFrom is { } initial ? Path.GetFullPath(initial) : null }, s_json)!.AsObject();
        settings["model"] = baseFingerprint;
        settings["data_file"] = rows.Fingerprint;
        settings["evaluation_file"] = rows.EvaluationFingerprint;
        return settings;
    }

    /// <summary>Which settings differ, with both values; null where none does.</summary>
    public static string? Difference(JsonObject before, JsonObject now)
    {
        string[] differences = [.. Differences("", before, now)];
        return differences.Length switch
        {
            0 => null,
            > MostNamed => $"{string.Join(", ", differences[..MostNamed])} and {differences.Length - MostNamed} more",
            _ => string.Join(", ", differences),
        };
    }

    private static IEnumerable<string> Differences(string path, JsonObject before, JsonObject now)
    {
        foreach (string name in now.Select(setting => setting.Key).Union(before.Select(setting => setting.Key)))
        {
            (JsonNode? old, JsonNode? current) = (before[name], now[name]);
            if (old is JsonObject oldPart && current is JsonObject currentPart)
            {
                foreach (string difference in Differences($"{path}{name}.", oldPart, currentPart))
                {
                    yield return difference;
                }
            }
            else if (!JsonNode.DeepEquals(old, current))
            {
                // Fingerprints tell nobody anything.
                yield return path.Length == 0 && name is "model" or "data_file" or "evaluation_file" ? $"{name} is another" : $"{path}{name} was {Shown(old)} and is {Shown(current)}";
            }
        }
    }

    private static string Shown(JsonNode? value) => value is null ? "not set" : value.ToJsonString();
}

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using LoraServe.Compute.Files;
using LoraServe.Training.Reports;

namespace LoraServe.Training.Runs;

/// <summary>A run's <c>run.json</c>, the last file that it writes: by it the same run finds itself done, and another does not replace it unseen.</summary>
internal sealed record RunRecord
{
    /// <summary>The file's name in the folder of a run.</summary>
    public const string FileName = "run.json";

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>What was asked for; see <see cref="RunSettings"/>.</summary>
    public required JsonObject Settings { get; init; }

    /// <summary>What it left: names of files, and of folders of parts, in the run's folder.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>What it cost and brought; null where it was given up for another run, which will replace its files.</summary>
    public required RunSummary? Summary { get; init; }

    /// <summary>The record of a folder; null where there is none.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message names it.</exception>
    public static RunRecord? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<RunRecord>(File.ReadAllBytes(path), s_json) ?? throw new JsonException("null is no run.");
        }
        catch (JsonException damage)
        {
            throw new InvalidDataException($"{path}: {damage.Message} Name another folder, or delete the file to let the next run replace what is there.", damage);
        }
    }

    /// <summary>Writes it.</summary>
    public void Write(string folder) => AtomicFile.WriteAllBytes(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, s_json));
}

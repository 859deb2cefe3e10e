using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using LoraServe.Compute.Files;

namespace LoraServe.Training.Reports;

/// <summary>A run's <c>metrics.jsonl</c>: one JSON object for each step, on disk before the next step begins.</summary>
public sealed partial class MetricsLog : IDisposable
{
    /// <summary>The file's name in the folder of a run.</summary>
    public const string FileName = "metrics.jsonl";

    private readonly FileStream _stream;

    private MetricsLog(FileStream stream) => _stream = stream;

    /// <summary>Opens a log to append to, and drops what a resumed run will write again.</summary>
    /// <param name="path">The file; made where there is none.</param>
    /// <param name="lastStep">The step of the checkpoint that the run goes on from: lines of later steps are dropped. 0 begins anew.</param>
    /// <exception cref="InvalidDataException">A line that would be kept is damaged; the message names file and line.</exception>
    public static MetricsLog Open(string path, int lastStep = 0)
    {
        IReadOnlyList<TrainingProgress> kept = lastStep > 0 && File.Exists(path) ? Read(path) : [];
        AtomicFile.Write(path, stream =>
        {
            foreach (TrainingProgress progress in kept.Where(progress => progress.Step <= lastStep))
            {
                stream.Write(Line(progress));
            }
        });
        return new MetricsLog(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0));
    }

    /// <summary>Reads a log, also of a run that goes on. A last line that was not written to its end is left out.</summary>
    /// <exception cref="InvalidDataException">Another line is damaged; the message names file and line.</exception>
    public static IReadOnlyList<TrainingProgress> Read(string path)
    {
        var steps = new List<TrainingProgress>();
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete), Encoding.UTF8);
        string? line = reader.ReadLine();
        for (int number = 1; line is not null; number++)
        {
            string? next = reader.ReadLine();
            try
            {
                steps.Add(JsonSerializer.Deserialize(line, MetricsJson.Default.TrainingProgress) ?? throw new JsonException("null is no step."));
            }
            catch (JsonException) when (next is null)
            {
                // A kill in the middle of a write.
            }
            catch (JsonException damage)
            {
                throw new InvalidDataException($"{path}, line {number}: {damage.Message} Remove the line, or begin the run anew.", damage);
            }

            line = next;
        }

        return steps;
    }

    /// <summary>Adds a step.</summary>
    public void Append(TrainingProgress progress) => _stream.Write(Line(progress));

    /// <inheritdoc />
    public void Dispose() => _stream.Dispose();

    private static byte[] Line(TrainingProgress progress) => [.. JsonSerializer.SerializeToUtf8Bytes(progress, MetricsJson.Default.TrainingProgress), (byte)'\n'];

    // A loss that is not a number is exactly what somebody will look for in this file.
    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
    [JsonSerializable(typeof(TrainingProgress))]
    private sealed partial class MetricsJson : JsonSerializerContext;
}

using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Training.Reports;

namespace LoraServe.Studio.Studies;

/// <summary>What came of one run.</summary>
public sealed record StudyResult
{
    /// <summary>The task's name.</summary>
    public required string Task { get; init; }

    /// <summary>The method's name.</summary>
    public required string Method { get; init; }

    /// <summary>Rank, width or virtual tokens; null where the method's own were taken.</summary>
    public int? Size { get; init; }

    /// <summary>What decided it.</summary>
    public required string Settings { get; init; }

    /// <summary>What the run cost and brought. Peak memory is that of a process which did nothing else.</summary>
    public required RunSummary Summary { get; init; }

    /// <summary>Mean loss on the evaluation rows' labelled tokens at the end; null where there are none.</summary>
    public double? EvaluationLoss { get; init; }

    /// <summary>Median of the tokens a second over the steps, prompts included.</summary>
    public double TokensPerS { get; init; }

    /// <summary>What a token costs when the adapter is served; null for a whole model, or where it is not measured yet.</summary>
    public ServingLatency? Latency { get; init; }

    /// <summary>The method and its size.</summary>
    public string Label => new StudyMethod(Method, Size).Label;

    /// <summary>Whether it is full fine-tuning's.</summary>
    public bool IsFull => Method == StudyMethod.Full;

    /// <summary>Reads one.</summary>
    /// <exception cref="StudioException">The file is damaged.</exception>
    public static StudyResult Read(string path)
    {
        try
        {
            return JsonOutput.ReadJson<StudyResult>(File.ReadAllText(path)) ?? throw new JsonException("It holds null.");
        }
        catch (JsonException damage)
        {
            throw new StudioException($"{path} is damaged: {JsonMistake.Describe(damage)}. Delete it, and the run is done again.");
        }
    }

    /// <summary>Writes it as a whole, so that there never is a half one.</summary>
    public void Write(string path) => StudyFiles.Write(path, this);
}

using System.Text.Json;

namespace LoraServe.Studio.Studies;

/// <summary>How the base answers a task's evaluation rows before anything is trained: what every method begins at.</summary>
/// <param name="Task">The task's name.</param>
/// <param name="Settings">What decided it.</param>
/// <param name="ExactMatch">Share of rows answered exactly.</param>
/// <param name="Loss">Mean loss on the labelled tokens; null where there are none.</param>
public sealed record StudyBaseline(string Task, string Settings, double? ExactMatch, double? Loss)
{
    /// <summary>Reads one; null where there is none of these settings.</summary>
    public static StudyBaseline? Read(string path, string settings)
    {
        try
        {
            return File.Exists(path) && JsonOutput.ReadJson<StudyBaseline>(File.ReadAllText(path)) is { } baseline && baseline.Settings == settings ? baseline : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes it as a whole, so that there never is a half one.</summary>
    public void Write(string path) => StudyFiles.Write(path, this);
}

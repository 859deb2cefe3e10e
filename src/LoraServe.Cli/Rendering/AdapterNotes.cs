using LoraServe.Adapters;

namespace LoraServe.Cli.Rendering;

/// <summary>Says what is unusual in an adapter's files.</summary>
internal static class AdapterNotes
{
    /// <summary>A line for each note.</summary>
    public static void Write(AdapterReport report, TextWriter errors)
    {
        foreach (string note in report.Notes)
        {
            errors.WriteLine($"note: {note}");
        }
    }
}

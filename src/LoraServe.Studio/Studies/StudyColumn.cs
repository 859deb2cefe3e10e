using System.Globalization;
using LoraServe.Training.Reports.Text;

namespace LoraServe.Studio.Studies;

/// <summary>A column of the tables, the same on the terminal and on the page.</summary>
/// <param name="Heading">Its heading.</param>
/// <param name="Text">The cell of a result.</param>
public sealed record StudyColumn(string Heading, Func<StudyResult, string> Text)
{
    private const string Nothing = "—";

    /// <summary>What methods bring, and how many parameters that takes.</summary>
    public static IReadOnlyList<StudyColumn> Quality { get; } =
    [
        new("exact match", result => Format(result.Summary.Score, "p1")),
        new("eval loss", result => Format(result.EvaluationLoss, "0.0000")),
        new("trained", result => QuantityText.ShortCount(result.Summary.TrainableParameters)),
        new("share", result => string.Create(CultureInfo.InvariantCulture, $"{100 * result.Summary.ParameterEfficiency:0.####} %")),
        new("of full", result => Format(result.Summary.Attainment, "p1")),
        new("return", result => result.Summary.ReturnOnParameters is { } value ? QuantityText.Digits(value) : Nothing),
    ];

    /// <summary>What methods cost.</summary>
    public static IReadOnlyList<StudyColumn> Cost { get; } =
    [
        new("files", result => QuantityText.Bytes(result.Summary.AdapterBytes)),
        new("memory", result => QuantityText.Bytes(result.Summary.PeakMemoryBytes)),
        new("tokens/s", result => Format(result.TokensPerS, "0")),
        new("ms/token", result => Format(result.Latency?.BaseMilliseconds + result.Latency?.AddedMilliseconds, "0.000")),
        new("added ms", result => Format(result.Latency?.AddedMilliseconds, "+0.000;-0.000;0.000")),
        new("ratio", result => Format(result.Latency?.Ratio, "0.00")),
    ];

    /// <summary>What the columns mean, in a few lines.</summary>
    public const string Legend =
        "exact match: evaluation rows whose every token the model chooses. share: trained of all parameters. of full: exact match over full fine-tuning's. "
        + "return: that over the share. memory: the most of a process that trains this alone, the base included. tokens/s: in training. "
        + "ms/token, added ms, ratio: one request served with the adapter, and against the base in the same process.";

    private static string Format(double? value, string format) => value is { } known && double.IsFinite(known) ? known.ToString(format, CultureInfo.InvariantCulture) : Nothing;
}

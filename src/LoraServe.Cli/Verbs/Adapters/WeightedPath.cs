using System.Globalization;
using LoraServe.Cli.Mistakes;

namespace LoraServe.Cli.Verbs.Adapters;

/// <summary>An adapter given as <c>DIR</c> or <c>DIR:WEIGHT</c>.</summary>
/// <param name="Path">Its PEFT directory or GGUF file.</param>
/// <param name="Weight">Factor of its change.</param>
internal sealed record WeightedPath(string Path, float Weight)
{
    /// <exception cref="UsageException">The weight is not a finite number.</exception>
    public static WeightedPath Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || System.IO.Path.Exists(text))
        {
            return new WeightedPath(text, 1);
        }

        return float.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out float weight) && float.IsFinite(weight)
            ? new WeightedPath(text[..colon], weight)
            : throw new UsageException($"The weight in '{text}' is not a finite number; expected DIR or DIR:WEIGHT, such as ./style:0.5.");
    }
}

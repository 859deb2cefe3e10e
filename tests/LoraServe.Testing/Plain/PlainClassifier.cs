using LoraServe.Adapters.Edits;

namespace LoraServe.Testing.Plain;

/// <summary>X-LoRA's classifier in float64: what scales an adapter's pairs in each row.</summary>
internal static class PlainClassifier
{
    /// <summary>The scalings of each row, [rows][places · experts].</summary>
    /// <param name="classifier">The classifier.</param>
    /// <param name="hidden">Last hidden states of the first pass after the final norm, [rows][width].</param>
    public static double[][] Scalings(ScalingClassifier classifier, double[][] hidden) => Array.ConvertAll(hidden, row =>
    {
        for (int layer = 0; layer < classifier.Layers.Length; layer++)
        {
            ClassifierLayer map = classifier.Layers[layer];
            double[] x = row;
            row = [.. Enumerable.Range(0, map.Weight.Rows).Select(output => PlainMath.Dot(PlainMath.Doubles(map.Weight.Row(output)), x) + map.Bias[output])];
            row = layer < classifier.Layers.Length - 1 ? Array.ConvertAll(row, value => Math.Max(value, 0)) : row;
        }

        return AtEachPlace(classifier, row, place => Chosen(classifier, classifier.Temperature is { } temperature ? Softmax(Array.ConvertAll(place, logit => logit / temperature)) : place));
    });

    /// <summary>The scalings of a row in the first pass.</summary>
    public static double[] Pass(ScalingClassifier classifier) =>
        AtEachPlace(classifier, [.. Enumerable.Repeat((double)classifier.PassValue, classifier.ScalingCount)], place => Chosen(classifier, place));

    private static double[] AtEachPlace(ScalingClassifier classifier, double[] row, Func<double[], double[]> of) => [.. row.Chunk(classifier.Experts).SelectMany(of)];

    private static double[] Chosen(ScalingClassifier classifier, double[] scalings)
    {
        int[] best = [.. Enumerable.Range(0, scalings.Length).OrderByDescending(expert => scalings[expert]).Take(classifier.Most ?? scalings.Length)];
        double[] chosen = [.. scalings.Select((scaling, expert) => best.Contains(expert) ? scaling : 0)];
        return classifier.NormalisesChosen && chosen.Any(scaling => scaling != 0) ? Softmax(Array.ConvertAll(chosen, scaling => scaling == 0 ? double.NegativeInfinity : scaling)) : chosen;
    }

    private static double[] Softmax(double[] values)
    {
        double[] powers = Array.ConvertAll(values, value => Math.Exp(value - values.Max()));
        return Array.ConvertAll(powers, power => power / powers.Sum());
    }
}

using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Methods.Road;

/// <summary>RoAd's 2×2 matrices over pairs of outputs: of the angles and scales that make them, and the way back.</summary>
/// <remarks>
/// Outputs p of the first half of a group and q of the second make y_p = c_p·z_p − s_p·z_q and y_q = s_q·z_p + c_q·z_q, where
/// c is a scale times the cosine of an angle and s one times the sine.
/// </remarks>
/// <param name="config">Size of groups, and what shares angles.</param>
/// <param name="outputs">Number of outputs.</param>
internal sealed class PairRotation(RoadConfig config, int outputs)
{
    private readonly int[] _order = Order(config.GroupSize, outputs);

    /// <summary>The rotation, less the identity.</summary>
    /// <param name="angles">θ.</param>
    /// <param name="scales">α, as many.</param>
    public BlockRotation Make(ReadOnlySpan<float> angles, ReadOnlySpan<float> scales)
    {
        var changes = new FloatMatrix(outputs, 2);
        for (int place = 0; place < outputs; place++)
        {
            // What is at a place brings its own cosine into itself, and into the other of the pair that one's sine.
            int self = place % 2;
            (int own, int other) = (Cosine(_order[place]), Sine(_order[place ^ 1]));
            changes.Row(place)[self] = (scales[own] * MathF.Cos(angles[own])) - 1;
            changes.Row(place)[1 - self] = (self == 0 ? 1 : -1) * scales[other] * MathF.Sin(angles[other]);
        }

        return new BlockRotation(changes, _order);
    }

    /// <summary>Adds to derivatives by angles and scales what those by the changes come to.</summary>
    public void Pull(ReadOnlySpan<float> dChanges, ReadOnlySpan<float> angles, ReadOnlySpan<float> scales, Span<float> dAngles, Span<float> dScales)
    {
        for (int place = 0; place < outputs; place++)
        {
            int self = place % 2;
            (int own, int other) = (Cosine(_order[place]), Sine(_order[place ^ 1]));
            float d = dChanges[(2 * place) + self];
            dScales[own] += d * MathF.Cos(angles[own]);
            dAngles[own] -= d * scales[own] * MathF.Sin(angles[own]);
            d = (self == 0 ? 1 : -1) * dChanges[(2 * place) + 1 - self];
            dScales[other] += d * MathF.Sin(angles[other]);
            dAngles[other] += d * scales[other] * MathF.Cos(angles[other]);
        }
    }

    /// <summary>Adds to derivatives by the changes what those by a bias come to that is rotated too.</summary>
    public void AddOfBias(ReadOnlySpan<float> dBias, ReadOnlySpan<float> bias, Span<float> dChanges)
    {
        for (int place = 0; place < outputs; place++)
        {
            int first = place & ~1;
            dChanges[2 * place] += bias[_order[place]] * dBias[_order[first]];
            dChanges[(2 * place) + 1] += bias[_order[place]] * dBias[_order[first + 1]];
        }
    }

    // Pairs side by side.
    private static int[] Order(int groupSize, int outputs)
    {
        int half = groupSize / 2;
        return [.. Enumerable.Range(0, outputs).Select(place => (place / groupSize * groupSize) + (place % groupSize / 2) + (place % 2 * half))];
    }

    /// <summary>Which angle and scale the cosine of an output has.</summary>
    private int Cosine(int output) => Number(output, 0);

    /// <summary>Which angle and scale the sine of an output has.</summary>
    private int Sine(int output) => Number(output, 1);

    private int Number(int output, int second)
    {
        (int group, int member) = int.DivRem(output, config.GroupSize);
        int half = config.GroupSize / 2;
        return config.Sharing switch
        {
            AngleSharing.Pair => (group * half) + (member % half),
            AngleSharing.Output => output,
            _ => (((2 * group) + second) * config.GroupSize) + member,
        };
    }
}

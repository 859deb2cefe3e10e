using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace LoraServe.Adapters.Edits;

/// <summary>What scales the <see cref="RoutedLowRank"/> pairs of an adapter, row by row (X-LoRA, Buehler and Buehler 2024).</summary>
/// <remarks>
/// A first pass of the model without the adapter gives the last hidden state h of each row, after the final norm. The layers, with a
/// ReLU between them, turn h into logits for each place (a module that has pairs, or all of them together) and each expert (a set
/// of pairs), and <see cref="Finish"/> turns these into scalings. A second pass applies the pairs by them.
/// </remarks>
/// <param name="Layers">The linear maps; the last has <see cref="ScalingCount"/> outputs.</param>
/// <param name="Experts">Sets of pairs.</param>
/// <param name="Places">Places that have scalings of their own.</param>
public sealed record ScalingClassifier(ImmutableArray<ClassifierLayer> Layers, int Experts, int Places) : AdapterEdit
{
    /// <summary>What logits are divided by before a softmax over the experts of each place; null: logits are scalings as they are.</summary>
    public float? Temperature { get; init; } = 1;

    /// <summary>Experts of each place that keep their scalings; null: all.</summary>
    public int? Most { get; init; }

    /// <summary>Whether the scalings that are not 0 then go through a softmax.</summary>
    public bool NormalisesChosen { get; init; }

    /// <summary>What every scaling is in the first pass; 0: it is the base's.</summary>
    public float PassValue { get; init; }

    /// <summary>Scalings of a row.</summary>
    public int ScalingCount => Places * Experts;

    /// <inheritdoc />
    public override long ByteLength => Layers.Sum(layer => layer.Weight.ByteLength + (layer.Bias.LongLength * sizeof(float)));

    /// <summary>Turns a row's logits, [places, experts], into scalings in place.</summary>
    public void Finish(Span<float> row)
    {
        for (int place = 0; place < Places; place++)
        {
            Span<float> scalings = row.Slice(place * Experts, Experts);
            if (Temperature is { } temperature)
            {
                TensorPrimitives.Divide(scalings, temperature, scalings);
                Softmax(scalings, ofAll: true);
            }

            Choose(scalings);
        }
    }

    /// <summary>A row's scalings in the first pass.</summary>
    public float[] PassScalings()
    {
        float[] row = new float[ScalingCount];
        Array.Fill(row, PassValue);
        for (int place = 0; place < Places; place++)
        {
            Choose(row.AsSpan(place * Experts, Experts));
        }

        return row;
    }

    // Of equal scalings the first counts.
    private void Choose(Span<float> scalings)
    {
        if (Most < Experts)
        {
            Span<bool> chosen = stackalloc bool[Experts];
            for (int i = 0; i < Most; i++)
            {
                int best = -1;
                for (int expert = 0; expert < Experts; expert++)
                {
                    best = !chosen[expert] && (best < 0 || scalings[expert] > scalings[best]) ? expert : best;
                }

                chosen[best] = true;
            }

            for (int expert = 0; expert < Experts; expert++)
            {
                scalings[expert] = chosen[expert] ? scalings[expert] : 0;
            }
        }

        if (NormalisesChosen)
        {
            Softmax(scalings, ofAll: false);
        }
    }

    private static void Softmax(Span<float> values, bool ofAll)
    {
        float greatest = float.NegativeInfinity;
        foreach (float value in values)
        {
            greatest = ofAll || value != 0 ? Math.Max(greatest, value) : greatest;
        }

        float sum = 0;
        foreach (ref float value in values)
        {
            value = ofAll || value != 0 ? MathF.Exp(value - greatest) : 0;
            sum += value;
        }

        for (int i = 0; i < values.Length && sum > 0; i++)
        {
            values[i] /= sum;
        }
    }
}

using System.Runtime.InteropServices;
using LoraServe.Compute.Memory;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Forward;

/// <summary>Which rows go through which experts, and their shares: chosen row by row, so that a row's result does not depend on others. Reused from layer to layer.</summary>
/// <param name="spec">The experts.</param>
public sealed class ExpertRouting(ExpertsSpec spec)
{
    private readonly List<int>[] _rows = [.. Enumerable.Range(0, spec.Count).Select(_ => new List<int>())];
    private readonly List<float>[] _shares = [.. Enumerable.Range(0, spec.Count).Select(_ => new List<float>())];
    private readonly RowGroup[] _groups = [.. Enumerable.Range(0, spec.Count).Select(_ => new RowGroup())];
    private readonly float[] _probabilities = new float[spec.Count];
    private readonly bool[] _chosen = new bool[spec.Count];

    /// <summary>The rows that go through an expert, ascending.</summary>
    public ReadOnlySpan<int> RowsOf(int expert) => CollectionsMarshal.AsSpan(_rows[expert]);

    /// <summary>The shares that these rows take of what the expert makes of them.</summary>
    public ReadOnlySpan<float> SharesOf(int expert) => CollectionsMarshal.AsSpan(_shares[expert]);

    /// <summary>The same rows with the adapters that act on them.</summary>
    public RowGroup GroupOf(int expert) => _groups[expert];

    /// <summary>Chooses for every row the experts of the highest scores, of equal ones the first.</summary>
    /// <param name="scores">What the router gave, [T, experts].</param>
    /// <param name="rows">The adapters that act on the rows.</param>
    public void Choose(Rows scores, RowGroup rows)
    {
        for (int expert = 0; expert < spec.Count; expert++)
        {
            _rows[expert].Clear();
            _shares[expert].Clear();
        }

        for (int t = 0; t < scores.Count; t++)
        {
            Share(scores.Span(t));
            for (int expert = 0; expert < spec.Count; expert++)
            {
                if (_chosen[expert])
                {
                    _rows[expert].Add(t);
                    _shares[expert].Add(_probabilities[expert]);
                }
            }
        }

        for (int expert = 0; expert < spec.Count; expert++)
        {
            _groups[expert].CopyRows(rows, RowsOf(expert));
        }
    }

    /// <summary>Adds the derivatives by scores, given those by the shares.</summary>
    /// <param name="scores">As in <see cref="Choose"/>.</param>
    /// <param name="dShares">Derivative by each expert's share, [T, experts]; 0 for those that were not chosen.</param>
    /// <param name="dScores">[T, experts], added to.</param>
    public void Backward(Rows scores, Rows dShares, Rows dScores)
    {
        for (int t = 0; t < scores.Count; t++)
        {
            // Shares that add up are a softmax over the chosen alone; others are one over all, of which the chosen are taken.
            Share(scores.Span(t));
            Span<float> derivatives = dShares.Span(t);
            float mean = 0;
            for (int expert = 0; expert < spec.Count; expert++)
            {
                mean += _chosen[expert] ? _probabilities[expert] * derivatives[expert] : 0;
            }

            for (int expert = 0; expert < spec.Count; expert++)
            {
                if (_chosen[expert] || !spec.SharesAddUp)
                {
                    dScores.Span(t)[expert] += _probabilities[expert] * ((_chosen[expert] ? derivatives[expert] : 0) - mean);
                }
            }
        }
    }

    private void Share(ReadOnlySpan<float> scores)
    {
        Array.Clear(_chosen);
        for (int place = 0; place < spec.PerRow; place++)
        {
            int best = -1;
            for (int expert = 0; expert < spec.Count; expert++)
            {
                if (!_chosen[expert] && (best < 0 || scores[expert] > scores[best]))
                {
                    best = expert;
                }
            }

            _chosen[best] = true;
        }

        float greatest = float.NegativeInfinity;
        foreach (float score in scores)
        {
            greatest = Math.Max(greatest, score);
        }

        float sum = 0;
        for (int expert = 0; expert < spec.Count; expert++)
        {
            _probabilities[expert] = MathF.Exp(scores[expert] - greatest);
            sum += _chosen[expert] || !spec.SharesAddUp ? _probabilities[expert] : 0;
        }

        for (int expert = 0; expert < spec.Count; expert++)
        {
            _probabilities[expert] /= sum;
        }
    }
}

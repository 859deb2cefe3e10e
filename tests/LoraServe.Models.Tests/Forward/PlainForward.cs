using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Tests.Forward;

/// <summary>A forward pass in plain loops over float64, of one sequence, with low-rank pairs and norms' changes added as their formulas say.</summary>
internal sealed class PlainForward(Transformer model, params (AdapterEdit[] Edits, double Weight)[] adapters)
{
    private readonly TransformerSpec _spec = model.Spec;

    /// <summary>Logits after every token, [tokens][vocabulary].</summary>
    public double[][] Logits(int[] tokens)
    {
        double[][] x = [.. tokens.Select(Embed)];
        for (int layer = 0; layer < _spec.LayerCount; layer++)
        {
            double[][] normed = Norm(x, new NormSite(layer, NormRole.Attention));
            double[][] attended = Attend(layer, At(SiteRole.Query, normed), At(SiteRole.Key, normed), At(SiteRole.Value, normed));
            Add(x, After(At(SiteRole.Output, attended), NormRole.AfterAttention));
            normed = Norm(x, new NormSite(layer, NormRole.Mlp));
            double[][] inner = [.. At(SiteRole.Gate, normed).Zip(At(SiteRole.Up, normed), (gate, up) => gate.Zip(up, (g, u) => Activate(g) * u).ToArray())];
            Add(x, After(At(SiteRole.Down, inner), NormRole.AfterMlp));

            double[][] At(SiteRole role, double[][] rows) => Linear(rows, new Site(layer, role));

            double[][] After(double[][] rows, NormRole role) => _spec.LayerNorms.Contains(role) ? Norm(rows, new NormSite(layer, role)) : rows;
        }

        double[][] logits = Linear(Norm(x, NormSite.Final), Site.Head);
        return _spec.LogitCap > 0 ? [.. logits.Select(row => row.Select(value => _spec.LogitCap * Math.Tanh(value / _spec.LogitCap)).ToArray())] : logits;
    }

    private double Activate(double x) => _spec.MlpActivation switch
    {
        Activation.Silu => x / (1 + Math.Exp(-x)),
        Activation.TanhGelu => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        _ => throw new NotSupportedException($"{_spec.MlpActivation}"),
    };

    private double[] Embed(int token)
    {
        double[] row = Row(Site.Embedding, token, _spec.Width);
        foreach ((LowRank pair, double weight) in Pairs(Site.Embedding))
        {
            for (int i = 0; i < row.Length; i++)
            {
                row[i] += weight * pair.Scale * Enumerable.Range(0, pair.Rank).Sum(k => (double)pair.B.Row(i)[k] * pair.A.Row(k)[token]);
            }
        }

        return [.. row.Select(value => value * _spec.EmbeddingScale)];
    }

    private double[][] Linear(double[][] rows, Site site)
    {
        BaseModule module = model.Modules.First(module => module.Site == site);
        float[] bias = new float[module.Outputs];
        model.CopyBias(site, bias);
        double[][] weights = [.. Enumerable.Range(0, module.Outputs).Select(output => Row(site, output, module.Inputs))];
        return [.. rows.Select(x =>
        {
            double[] y = [.. weights.Select((row, output) => Dot(row, x) + bias[output])];
            foreach ((LowRank pair, double weight) in Pairs(site))
            {
                double[] down = [.. Enumerable.Range(0, pair.Rank).Select(k => Dot(Doubles(pair.A.Row(k)), x))];
                for (int i = 0; i < y.Length; i++)
                {
                    y[i] += weight * pair.Scale * Dot(Doubles(pair.B.Row(i)), down);
                }
            }

            return y;
        })];
    }

    private double[][] Norm(double[][] rows, NormSite site)
    {
        float[] gains = new float[_spec.Width];
        model.CopyNorm(site, gains);
        double[] edited = Doubles(gains);
        foreach ((AdapterEdit[] edits, double weight) in adapters)
        {
            foreach (NormDelta change in edits.OfType<NormDelta>().Where(change => change.Site == site))
            {
                edited = [.. edited.Zip(change.Values, (gain, value) => gain + (weight * value))];
            }
        }

        return [.. rows.Select(x =>
        {
            double root = Math.Sqrt((x.Sum(value => value * value) / x.Length) + _spec.NormEpsilon);
            return x.Zip(edited, (value, gain) => value / root * gain).ToArray();
        })];
    }

    private double[][] Attend(int layer, double[][] queries, double[][] keys, double[][] values)
    {
        float[] frequencies = new float[_spec.HeadSize / 2];
        _spec.Rope.InverseFrequencies(queries.Length, frequencies);
        Rotate(queries, frequencies);
        Rotate(keys, frequencies);
        int window = _spec.Windows[layer];
        int group = _spec.QueryHeads / _spec.KeyValueHeads;
        return [.. queries.Select((query, t) =>
        {
            double[] row = new double[query.Length];
            for (int head = 0; head < _spec.QueryHeads; head++)
            {
                int first = window > 0 ? Math.Max(0, t - window + 1) : 0;
                (int from, int to) = (head / group * _spec.HeadSize, head * _spec.HeadSize);
                double[] scores = [.. Enumerable.Range(first, t - first + 1).Select(s => _spec.AttentionScale * Dot(query.AsSpan(to, _spec.HeadSize), keys[s].AsSpan(from, _spec.HeadSize)))];
                double greatest = scores.Max();
                double total = scores.Sum(score => Math.Exp(score - greatest));
                for (int s = 0; s < scores.Length; s++)
                {
                    for (int i = 0; i < _spec.HeadSize; i++)
                    {
                        row[to + i] += Math.Exp(scores[s] - greatest) / total * values[first + s][from + i];
                    }
                }
            }

            return row;
        })];
    }

    private void Rotate(double[][] rows, float[] frequencies)
    {
        int half = frequencies.Length;
        for (int t = 0; t < rows.Length; t++)
        {
            for (int head = 0; head < rows[t].Length; head += _spec.HeadSize)
            {
                for (int i = 0; i < half; i++)
                {
                    (double sine, double cosine) = Math.SinCos(t * frequencies[i]);
                    (double a, double b) = (rows[t][head + i], rows[t][head + half + i]);
                    rows[t][head + i] = (a * cosine) - (b * sine);
                    rows[t][head + half + i] = (b * cosine) + (a * sine);
                }
            }
        }
    }

    private IEnumerable<(LowRank Pair, double Weight)> Pairs(Site site) =>
        adapters.SelectMany(entry => entry.Edits.OfType<LowRank>().Where(pair => pair.Site == site).Select(pair => (pair, entry.Weight)));

    private double[] Row(Site site, int row, int width)
    {
        float[] values = new float[width];
        model.CopyWeightRow(site, row, values);
        return Doubles(values);
    }

    private static double[] Doubles(ReadOnlySpan<float> values) => Array.ConvertAll(values.ToArray(), value => (double)value);

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    private static void Add(double[][] x, double[][] rows)
    {
        for (int t = 0; t < x.Length; t++)
        {
            for (int i = 0; i < x[t].Length; i++)
            {
                x[t][i] += rows[t][i];
            }
        }
    }
}

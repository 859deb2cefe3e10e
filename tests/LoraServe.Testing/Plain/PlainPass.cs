using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;

namespace LoraServe.Testing.Plain;

/// <summary>One sequence on its way through <see cref="PlainForward"/>.</summary>
internal sealed class PlainPass
{
    private const double BottleneckNormEpsilon = 1e-5;

    private readonly PlainForward _model;
    private readonly TransformerSpec _spec;
    private readonly int[] _tokens;
    private readonly int _promptRows;
    private readonly PlainAdapter[] _stack;
    private readonly int[] _activeFrom;
    private readonly Dictionary<object, AdapterEdit[]>[] _byPlace;
    private readonly Dictionary<FloatMatrix, double[][]> _matrices = [];

    public PlainPass(PlainForward model, int[] tokens, int promptLength, PlainAdapter[] stack)
    {
        (_model, _spec, _tokens, _stack) = (model, model.Spec, tokens, stack);
        _byPlace = [.. stack.Select(adapter => adapter.Edits.GroupBy(PlaceOf).ToDictionary(edits => edits.Key, edits => edits.ToArray()))];
        VirtualRows = stack.Sum(adapter => adapter.VirtualRows);
        _promptRows = VirtualRows + promptLength;
        _activeFrom = [.. stack.Select(adapter => adapter.FirstPosition(tokens.AsSpan(0, promptLength), VirtualRows))];
    }

    /// <summary>Rows ahead of the first token.</summary>
    public int VirtualRows { get; }

    /// <summary>Every row after the final norm.</summary>
    public double[][] Hidden()
    {
        double[][] rows = [.. VirtualEmbeddings(), .. _tokens.Select((token, t) => Embed(token, VirtualRows + t))];
        foreach (double[] row in rows)
        {
            for (int i = 0; i < row.Length; i++)
            {
                row[i] *= _spec.EmbeddingScale;
            }
        }

        for (int layer = 0; layer < _spec.LayerCount; layer++)
        {
            double[][] normed = Norm(rows, new NormSite(layer, NormRole.Attention));
            double[][] attended = Attend(layer, At(SiteRole.Query, normed), At(SiteRole.Key, normed), At(SiteRole.Value, normed));
            AddSublayer(rows, After(At(SiteRole.Output, attended), NormRole.AfterAttention), layer, BottleneckPlace.Attention);
            normed = Norm(rows, new NormSite(layer, NormRole.Mlp));
            double[][] gates = At(SiteRole.Gate, normed);
            double[][] inner = [.. gates.Zip(At(SiteRole.Up, normed), (gate, up) => gate.Zip(up, (g, u) => PlainMath.Activate(_spec.MlpActivation, g) * u).ToArray())];
            AddSublayer(rows, After(At(SiteRole.Down, inner), NormRole.AfterMlp), layer, BottleneckPlace.Mlp);

            double[][] At(SiteRole role, double[][] x) => [.. x.Select((row, position) => Linear(row, new Site(layer, role), position))];

            double[][] After(double[][] x, NormRole role) => _spec.LayerNorms.Contains(role) ? Norm(x, new NormSite(layer, role)) : x;
        }

        return Norm(rows, NormSite.Final);
    }

    /// <summary>The head of the rows from one on.</summary>
    public double[][] Logits(double[][] hidden, int first) =>
    [
        .. hidden.Skip(first).Select((row, i) => Linear(row, Site.Head, first + i)).Select(logits =>
            _spec.LogitCap > 0 ? Array.ConvertAll(logits, logit => _spec.LogitCap * Math.Tanh(logit / _spec.LogitCap)) : logits),
    ];

    /// <summary>What an edit changes: a module, a norm, the stream after a sublayer, or the sequence.</summary>
    private static object PlaceOf(AdapterEdit edit) => edit switch
    {
        ModuleEdit module => module.Site,
        NormDelta norm => norm.Site,
        NormReplacement norm => norm.Site,
        Bottleneck added => (added.Layer, added.Place),
        _ => edit,
    };

    /// <summary>The edits of a place by each adapter of the stack that acts at a position, in its order.</summary>
    private List<(AdapterEdit[] Edits, double Weight)> Acting(object place, int position)
    {
        var acting = new List<(AdapterEdit[], double)>();
        for (int i = 0; i < _stack.Length; i++)
        {
            if (position >= _activeFrom[i] && _byPlace[i].TryGetValue(place, out AdapterEdit[]? edits))
            {
                acting.Add((edits, _stack[i].Weight));
            }
        }

        return acting;
    }

    private IEnumerable<double[]> VirtualEmbeddings() =>
        from adapter in _stack
        let embeddings = adapter.Edits.OfType<VirtualTokens>().SingleOrDefault()?.Rows
        from i in Enumerable.Range(0, adapter.VirtualRows)
        select embeddings is null ? new double[_spec.Width] : Array.ConvertAll(embeddings.Row(i).ToArray(), value => adapter.Weight * value);

    private double[] Embed(int token, int position)
    {
        List<(AdapterEdit[] Edits, double Weight)> acting = Acting(Site.Embedding, position);
        double[] row = [.. Map(Site.Embedding, acting).Rows[token]];
        foreach ((AdapterEdit[] edits, double weight) in acting)
        {
            float[]? scale = edits.OfType<OutputScale>().SingleOrDefault()?.Values;
            ScaleOutputs(row, scale, weight);
            foreach (AdapterEdit edit in edits)
            {
                switch (edit)
                {
                    case LowRank pair:
                        double[] codes = [.. Enumerable.Range(0, pair.Rank).Select(k => (double)pair.A.Row(k)[token])];
                        PlainMath.Add(row, PlainMath.Scaled(Times(pair.B, codes), scale), weight * pair.Scale);
                        break;
                    case DenseDelta table:
                        PlainMath.Add(row, PlainMath.Scaled(PlainMath.Doubles(table.Values.Row(token)), scale), weight);
                        break;
                    case RowsDelta rows when Array.IndexOf(rows.Tokens, token) is >= 0 and int i:
                        PlainMath.Add(row, PlainMath.Doubles(rows.Values.Row(i)), weight);
                        break;
                }
            }
        }

        return row;
    }

    private double[] Linear(double[] x, Site site, int position)
    {
        List<(AdapterEdit[] Edits, double Weight)> acting = Acting(site, position);
        PlainLinear map = Map(site, acting);
        double[] y = map.Times(acting.Aggregate(x, ChangedInput));
        foreach ((AdapterEdit[] edits, double weight) in acting)
        {
            AddProducts(y, x, edits, weight);
        }

        PlainMath.Add(y, map.Bias);
        foreach ((AdapterEdit[] edits, double weight) in acting)
        {
            foreach (BiasDelta bias in edits.OfType<BiasDelta>())
            {
                PlainMath.Add(y, PlainMath.Doubles(bias.Values), weight);
            }
        }

        return y;
    }

    /// <summary>What the base's map sees instead of its input; the adapters' own products see the input itself.</summary>
    private static double[] ChangedInput(double[] x, (AdapterEdit[] Edits, double Weight) adapter)
    {
        foreach (AdapterEdit edit in adapter.Edits)
        {
            double[]? changed = edit switch
            {
                InputScale scale => PlainMath.Scaled(x, scale.Values),
                InputRotation rotation => rotation.Factors.Aggregate(x, Rotate),
                _ => null,
            };
            x = changed is null ? x : [.. x.Zip(changed, (before, after) => before + (adapter.Weight * (after - before)))];
        }

        return x;
    }

    /// <summary>What one adapter makes of the base's product: an output scale is of that product and of the adapter's own, but not of changed rows.</summary>
    private void AddProducts(double[] y, double[] x, AdapterEdit[] edits, double weight)
    {
        float[]? scale = edits.OfType<OutputScale>().SingleOrDefault()?.Values;
        ScaleOutputs(y, scale, weight);
        foreach (AdapterEdit edit in edits)
        {
            switch (edit)
            {
                case LowRank pair:
                    PlainMath.Add(y, PlainMath.Scaled(Times(pair.B, Times(pair.A, x)), scale), weight * pair.Scale);
                    break;
                case SharedLowRank pair:
                    double[] down = PlainMath.Scaled(Times(pair.A.Values, x), pair.RankScale);
                    double[] up = Times(pair.B.Values, down)[..y.Length];
                    PlainMath.Add(y, PlainMath.Scaled(PlainMath.Scaled(up, pair.ProductScale), scale), weight);
                    break;
                case DenseDelta dense:
                    PlainMath.Add(y, PlainMath.Scaled(Times(dense.Values, x), scale), weight);
                    break;
                case RowsDelta rows:
                    double[] changes = Times(rows.Values, x);
                    for (int i = 0; i < changes.Length; i++)
                    {
                        y[rows.Tokens[i]] += weight * changes[i];
                    }

                    break;
            }
        }
    }

    private static void ScaleOutputs(double[] y, float[]? scale, double weight)
    {
        for (int i = 0; scale is not null && i < y.Length; i++)
        {
            y[i] += weight * (scale[i] - 1.0) * y[i];
        }
    }

    /// <summary>x + D·x, where what is at place j adds x·D[j, c] to what is at the c-th place of its block.</summary>
    private static double[] Rotate(double[] x, BlockRotation factor)
    {
        double[] rotated = [.. x];
        for (int place = 0; place < x.Length; place++)
        {
            for (int c = 0; c < factor.Size; c++)
            {
                rotated[Input((place / factor.Size * factor.Size) + c)] += factor.Changes.Row(place)[c] * x[Input(place)];
            }
        }

        return rotated;

        int Input(int place) => factor.Order.Length == 0 ? place : factor.Order[place];
    }

    /// <summary>The map that a row has: the base's, or the last one of the stack that takes its place.</summary>
    private PlainLinear Map(Site site, List<(AdapterEdit[] Edits, double Weight)> acting)
    {
        WeightReplacement? whole = acting.SelectMany(adapter => adapter.Edits).OfType<WeightReplacement>().LastOrDefault();
        return whole is null ? _model.Linear(site) : new PlainLinear(Rows(whole.Weight), PlainMath.Doubles(whole.Bias ?? new float[whole.Weight.Rows]));
    }

    private double[] Times(FloatMatrix matrix, double[] x) => Array.ConvertAll(Rows(matrix), row => PlainMath.Dot(row.AsSpan(0, x.Length), x));

    /// <summary>A matrix in float64, as it is while the sequence runs.</summary>
    private double[][] Rows(FloatMatrix matrix)
    {
        if (!_matrices.TryGetValue(matrix, out double[][]? rows))
        {
            _matrices[matrix] = rows = [.. Enumerable.Range(0, matrix.Rows).Select(row => PlainMath.Doubles(matrix.Row(row)))];
        }

        return rows;
    }

    private double[][] Norm(double[][] rows, NormSite site) =>
    [
        .. rows.Select((x, position) =>
        {
            double[] gains = Gains(site, position);
            double root = Math.Sqrt((PlainMath.Dot(x, x) / x.Length) + _spec.NormEpsilon);
            return x.Select((value, i) => value / root * gains[i]).ToArray();
        }),
    ];

    private double[] Gains(NormSite site, int position)
    {
        List<(AdapterEdit[] Edits, double Weight)> acting = Acting(site, position);
        NormReplacement? whole = acting.SelectMany(adapter => adapter.Edits).OfType<NormReplacement>().LastOrDefault();
        double[] gains = whole is null ? [.. _model.Gains(site)] : PlainMath.Doubles(whole.Values);
        foreach ((AdapterEdit[] edits, double weight) in acting)
        {
            foreach (NormDelta change in edits.OfType<NormDelta>())
            {
                PlainMath.Add(gains, PlainMath.Doubles(change.Values), weight);
            }
        }

        return gains;
    }

    /// <summary>Adds a sublayer's result to the residual stream, and what bottlenecks make of it: all of a stack read what the base made.</summary>
    private void AddSublayer(double[][] rows, double[][] results, int layer, BottleneckPlace place)
    {
        for (int t = 0; t < rows.Length; t++)
        {
            double[] sum = [.. rows[t].Zip(results[t], (residual, sublayer) => residual + sublayer)];
            double[] changed = [.. sum];
            foreach ((AdapterEdit[] edits, double weight) in Acting((layer, place), t))
            {
                PlainMath.Add(changed, Added((Bottleneck)edits.Single(), rows[t], results[t], sum), weight);
            }

            rows[t] = changed;
        }
    }

    private double[] Added(Bottleneck edit, double[] residual, double[] sublayer, double[] sum)
    {
        double[] input = edit.Input switch { BottleneckInput.Sublayer => sublayer, BottleneckInput.Sum => sum, _ => residual };
        double[] narrow = [.. Times(edit.Down, input).Zip(edit.DownBias, (value, bias) => PlainMath.Activate(edit.Activation, value + bias))];
        double[] f = [.. Times(edit.Up, narrow).Select((value, i) => (value + edit.UpBias[i]) * edit.Scale[edit.Scale.Length == 1 ? 0 : i])];
        if (edit.Norm is not { } norm)
        {
            return f;
        }

        double[] covered = norm.CoversSublayer ? [.. f.Zip(sublayer, (a, b) => a + b)] : f;
        double mean = covered.Average();
        double deviation = Math.Sqrt(covered.Average(value => (value - mean) * (value - mean)) + BottleneckNormEpsilon);
        return [.. covered.Select((value, i) => ((value - mean) / deviation * norm.Gain[i]) + norm.Bias[i] - (norm.CoversSublayer ? sublayer[i] : 0))];
    }

    private double[][] Attend(int layer, double[][] queries, double[][] keys, double[][] values)
    {
        for (int position = 0; position < queries.Length; position++)
        {
            Turn(queries[position], position);
            Turn(keys[position], position);
        }

        PlacePrefixes(layer, keys, values);
        int window = _spec.Windows[layer];
        int size = _spec.HeadSize;
        int group = _spec.QueryHeads / _spec.KeyValueHeads;
        return
        [
            .. queries.Select((query, t) =>
            {
                double[] row = new double[query.Length];
                int first = window > 0 ? Math.Max(0, t - window + 1) : 0;
                for (int head = 0; head < _spec.QueryHeads; head++)
                {
                    (int from, int to) = (head / group * size, head * size);
                    double[] scores = new double[t - first + 1];
                    for (int s = 0; s < scores.Length; s++)
                    {
                        scores[s] = _spec.AttentionScale * PlainMath.Dot(query.AsSpan(to, size), keys[first + s].AsSpan(from, size));
                    }

                    double greatest = scores.Max();
                    double[] parts = Array.ConvertAll(scores, score => Math.Exp(score - greatest));
                    double total = parts.Sum();
                    for (int s = 0; s < parts.Length; s++)
                    {
                        for (int i = 0; i < size; i++)
                        {
                            row[to + i] += parts[s] / total * values[first + s][from + i];
                        }
                    }
                }

                return row;
            }),
        ];
    }

    /// <summary>A prefix's own keys, not turned, and its weighted values instead of those of its rows.</summary>
    private void PlacePrefixes(int layer, double[][] keys, double[][] values)
    {
        int row = 0;
        foreach (PlainAdapter adapter in _stack)
        {
            PrefixKeyValue? prefix = adapter.Edits.OfType<PrefixKeyValue>().SingleOrDefault(edit => edit.Layer == layer);
            for (int i = 0; i < adapter.VirtualRows; i++, row++)
            {
                if (prefix is not null)
                {
                    keys[row] = PlainMath.Doubles(prefix.Keys.Row(i));
                    values[row] = Array.ConvertAll(prefix.Values.Row(i).ToArray(), value => adapter.Weight * value);
                }
            }
        }
    }

    private void Turn(double[] heads, int position)
    {
        int half = _spec.HeadSize / 2;
        float[] frequencies = new float[half];
        _spec.Rope.InverseFrequencies(Math.Max(_promptRows, position + 1), frequencies);
        (double Sine, double Cosine)[] turns = Array.ConvertAll(frequencies, frequency => Math.SinCos((double)position * frequency));
        for (int head = 0; head < heads.Length; head += _spec.HeadSize)
        {
            for (int i = 0; i < half; i++)
            {
                (double sine, double cosine) = turns[i];
                (double a, double b) = (heads[head + i], heads[head + half + i]);
                heads[head + i] = ((a * cosine) - (b * sine)) * _spec.Rope.AttentionFactor;
                heads[head + half + i] = ((b * cosine) + (a * sine)) * _spec.Rope.AttentionFactor;
            }
        }
    }
}

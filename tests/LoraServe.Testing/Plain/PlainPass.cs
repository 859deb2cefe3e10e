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
    private readonly double[][]?[] _scalings;
    private readonly Dictionary<FloatMatrix, double[][]> _matrices = [];

    public PlainPass(PlainForward model, int[] tokens, int promptLength, PlainAdapter[] stack, bool isScout = false)
    {
        (_model, _spec, _tokens, _stack) = (model, model.Spec, tokens, stack);
        _byPlace = [.. stack.Select(adapter => adapter.Edits.GroupBy(PlaceOf).ToDictionary(edits => edits.Key, edits => edits.ToArray()))];
        VirtualRows = stack.Sum(adapter => adapter.VirtualRows);
        _promptRows = VirtualRows + promptLength;
        _activeFrom = [.. stack.Select(adapter => adapter.FirstPosition(tokens.AsSpan(0, promptLength), VirtualRows))];
        _scalings = Array.ConvertAll(stack, Scalings);

        double[][]? Scalings(PlainAdapter adapter) => adapter.Edits.OfType<ScalingClassifier>().SingleOrDefault() is not { } classifier ? null
            : isScout ? [.. tokens.Select(_ => PlainClassifier.Pass(classifier))]
            : PlainClassifier.Scalings(classifier, new PlainPass(model, tokens, promptLength, [new PlainAdapter(adapter.Edits)], isScout: true).Hidden());
    }

    /// <summary>Rows ahead of the first token.</summary>
    public int VirtualRows { get; }

    /// <summary>Every row after the final norm.</summary>
    public double[][] Hidden()
    {
        double[][] rows = [.. VirtualEmbeddings(), .. _tokens.Select((token, t) => Looked(Site.Embedding, token, VirtualRows + t))];
        for (int position = 0; position < rows.Length; position++)
        {
            for (int i = 0; i < _spec.Width; i++)
            {
                rows[position][i] *= _spec.EmbeddingScale;
            }

            if (_spec.LearnsPositions)
            {
                PlainMath.Add(rows[position], Looked(Site.Positions, position, position));
            }
        }

        for (int layer = 0; layer < _spec.LayerCount; layer++)
        {
            double[][] beside = Normed(rows, NormRole.Mlp);
            (double[][] queries, double[][] keys, double[][] values) = QueriesKeysValues(layer, Normed(rows, NormRole.Attention));
            double[][] attended = Attend(layer, Normed(queries, NormRole.Query), Normed(keys, NormRole.Key), values);
            AddSublayer(rows, Normed(At(SiteRole.Output, attended), NormRole.AfterAttention), layer, BottleneckPlace.Attention);
            double[][] input = _spec.AddsInParallel ? beside : Normed(rows, NormRole.Mlp);
            double[][] result = _spec.HasExperts(layer)
                ? [.. input.Select((row, position) => Experts(layer, row, position))]
                : At(SiteRole.Down, [.. input.Select((row, position) => Inner(layer, row, position))]);
            AddSublayer(rows, Normed(result, NormRole.AfterMlp), layer, BottleneckPlace.Mlp);

            double[][] At(SiteRole role, double[][] x) => [.. x.Select((row, position) => Linear(row, new Site(layer, role), position))];

            double[][] Normed(double[][] x, NormRole role) => _spec.LayerNorms.Contains(role) ? Norm(x, new NormSite(layer, role)) : [.. x.Select(row => (double[])row.Clone())];
        }

        return Norm(rows, NormSite.Final);
    }

    private (double[][] Queries, double[][] Keys, double[][] Values) QueriesKeysValues(int layer, double[][] x)
    {
        if (!_spec.Linears.Contains(SiteRole.QueryKeyValue))
        {
            return (At(SiteRole.Query), At(SiteRole.Key), At(SiteRole.Value));
        }

        double[][] all = At(SiteRole.QueryKeyValue);
        int size = _spec.HeadSize;
        int queries = _spec.QueryHeads * size;
        return _spec.FusesByHead
            ? (ByHead(0), ByHead(1), ByHead(2))
            : ([.. all.Select(row => row[..queries])], [.. all.Select(row => row[queries..(queries + _spec.KeyWidth)])], [.. all.Select(row => row[(queries + _spec.KeyWidth)..])]);

        double[][] At(SiteRole role) => [.. x.Select((row, position) => Linear(row, new Site(layer, role), position))];

        double[][] ByHead(int part) => [.. all.Select(row => Enumerable.Range(0, queries).Select(i => row[(i / size * 3 * size) + (part * size) + (i % size)]).ToArray())];
    }

    /// <summary>What the MLP narrows.</summary>
    private double[] Inner(int layer, double[] x, int position)
    {
        if (_spec.Linears.Contains(SiteRole.GateUp))
        {
            double[] both = At(SiteRole.GateUp);
            return Gated(both[.._spec.FeedForwardWidth], both[_spec.FeedForwardWidth..]);
        }

        return _spec.Linears.Contains(SiteRole.Gate)
            ? Gated(At(SiteRole.Gate), At(SiteRole.Up))
            : Array.ConvertAll(At(SiteRole.Up), value => PlainMath.Activate(_spec.MlpActivation, value));

        double[] At(SiteRole role) => Linear(x, new Site(layer, role), position);
    }

    private double[] Gated(double[] gate, double[] up) => [.. gate.Zip(up, (g, u) => PlainMath.Activate(_spec.MlpActivation, g) * u)];

    private double[] Experts(int layer, double[] x, int position)
    {
        ExpertsSpec spec = _spec.Experts!;
        double[] scores = Linear(x, new Site(layer, SiteRole.Router), position);
        int[] chosen = [.. Enumerable.Range(0, spec.Count).OrderByDescending(expert => scores[expert]).Take(spec.PerRow)];
        double total = (spec.SharesAddUp ? chosen.Select(expert => scores[expert]) : scores).Sum(score => Math.Exp(score - scores.Max()));
        double[] sum = new double[x.Length];
        foreach (int expert in chosen)
        {
            double[] inner = Gated(Linear(x, new Site(layer, SiteRole.ExpertGate, expert), position), Linear(x, new Site(layer, SiteRole.ExpertUp, expert), position));
            PlainMath.Add(sum, Linear(inner, new Site(layer, SiteRole.ExpertDown, expert), position), Math.Exp(scores[expert] - scores.Max()) / total);
        }

        return sum;
    }

    /// <summary>The head of the rows from one on.</summary>
    public double[][] Logits(double[][] hidden, int first) =>
    [
        .. hidden.Skip(first).Select((row, i) => Array.ConvertAll(Linear(row, Site.Head, first + i), logit => _spec.LogitScale * logit)).Select(logits =>
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
                // At a position, a pair that is scaled by the row is a pair.
                acting.Add((_scalings[i] is { } scalings
                    ? Array.ConvertAll(edits, edit => edit is RoutedLowRank pair ? new LowRank(pair.Site, pair.A, pair.B, (float)(pair.Scale * scalings[position][pair.Scaling])) : edit)
                    : edits, _stack[i].Weight));
            }
        }

        return acting;
    }

    private IEnumerable<double[]> VirtualEmbeddings() =>
        from adapter in _stack
        let embeddings = adapter.Edits.OfType<VirtualTokens>().SingleOrDefault()?.Rows
        from i in Enumerable.Range(0, adapter.VirtualRows)
        select embeddings is null ? new double[_spec.Width] : Array.ConvertAll(embeddings.Row(i).ToArray(), value => adapter.Weight * value);

    /// <summary>A row of a table.</summary>
    private double[] Looked(Site site, int token, int position)
    {
        List<(AdapterEdit[] Edits, double Weight)> acting = Acting(site, position);
        double[] row = [.. Map(site, acting).Rows[token]];
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
            double[] parameters = Gains(site, position);
            return x.Chunk(_spec.NormWidth(site.Role)).SelectMany(part =>
            {
                double mean = _spec.CentresNorms ? part.Average() : 0;
                double root = Math.Sqrt(part.Average(value => (value - mean) * (value - mean)) + _spec.NormEpsilon);
                return part.Select((value, i) => ((value - mean) / root * (_spec.GainOffset + parameters[i])) + (_spec.CentresNorms ? parameters[part.Length + i] : 0));
            }).ToArray();
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
            double[] result = Array.ConvertAll(results[t], value => _spec.ResidualScale * value);
            double[] sum = [.. rows[t].Zip(result, (residual, sublayer) => residual + sublayer)];
            double[] changed = [.. sum];
            foreach ((AdapterEdit[] edits, double weight) in Acting((layer, place), t))
            {
                PlainMath.Add(changed, Added((Bottleneck)edits.Single(), rows[t], result, sum), weight);
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
            Turn(queries[position], position, _spec.RopeOf(layer));
            Turn(keys[position], position, _spec.RopeOf(layer));
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
                        double score = _spec.AttentionScale * PlainMath.Dot(query.AsSpan(to, size), keys[first + s].AsSpan(from, size));
                        scores[s] = _spec.ScoreCap > 0 ? _spec.ScoreCap * Math.Tanh(score / _spec.ScoreCap) : score;
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

    private void Turn(double[] heads, int position, RopeSpec? rope)
    {
        if (rope is null)
        {
            return;
        }

        int half = rope.Turned(_spec.HeadSize) / 2;
        float[] frequencies = new float[half];
        rope.InverseFrequencies(Math.Max(_promptRows, position + 1), frequencies);
        (double Sine, double Cosine)[] turns = Array.ConvertAll(frequencies, frequency => Math.SinCos((double)position * frequency));
        for (int head = 0; head < heads.Length; head += _spec.HeadSize)
        {
            for (int i = 0; i < half; i++)
            {
                (double sine, double cosine) = turns[i];
                (double a, double b) = (heads[head + i], heads[head + half + i]);
                heads[head + i] = ((a * cosine) - (b * sine)) * rope.AttentionFactor;
                heads[head + half + i] = ((b * cosine) + (a * sine)) * rope.AttentionFactor;
            }
        }
    }
}

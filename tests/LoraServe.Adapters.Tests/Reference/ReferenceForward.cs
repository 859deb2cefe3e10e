using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Matrices;
using LoraServe.Cpu.Resident;

namespace LoraServe.Adapters.Tests.Reference;

/// <summary>A Llama forward pass in plain loops, with adapters applied as <see cref="LinearEdit"/> says.</summary>
internal sealed unsafe class ReferenceForward(FileBaseModel model, params (CpuAdapter Adapter, float Weight)[] adapters)
{
    /// <summary>Where weights come from: the model, or what was merged into it.</summary>
    public IBaseModel Weights { get; init; } = model;

    private readonly Dictionary<Site, float[]> _weights = [];
    private readonly Dictionary<PackedMatrix, float[][]> _unpacked = [];

    /// <summary>Logits after every token, [tokens][vocabulary].</summary>
    /// <param name="tokens">The sequence.</param>
    /// <param name="promptLength">How much of it is the prompt, in which invocation tokens are looked for.</param>
    public float[][] Logits(int[] tokens, int promptLength)
    {
        // Virtual rows come first, adapter after adapter; a token's position counts them.
        int virtualRows = adapters.Sum(entry => entry.Adapter.VirtualRows);
        int[] activeFrom = [.. adapters.Select(entry => ActiveFrom(entry.Adapter, tokens.AsSpan(0, promptLength)))];
        float[][] rows = [.. adapters.SelectMany(entry => VirtualEmbeddings(entry.Adapter)), .. tokens.Select((token, position) => Embed(token, virtualRows + position, activeFrom))];
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            float[][] normed = Norm(rows, new NormSite(layer, NormRole.Attention), activeFrom);
            float[][] attended = Attend(
                layer,
                Linear(normed, new Site(layer, SiteRole.Query), activeFrom),
                Linear(normed, new Site(layer, SiteRole.Key), activeFrom),
                Linear(normed, new Site(layer, SiteRole.Value), activeFrom));
            AddSublayer(rows, Linear(attended, new Site(layer, SiteRole.Output), activeFrom), layer, BottleneckPlace.Attention);
            normed = Norm(rows, new NormSite(layer, NormRole.Mlp), activeFrom);
            float[][] gate = Linear(normed, new Site(layer, SiteRole.Gate), activeFrom);
            float[][] up = Linear(normed, new Site(layer, SiteRole.Up), activeFrom);
            float[][] inner = [.. gate.Zip(up, (g, u) => g.Zip(u, (a, b) => (float)(a / (1 + Math.Exp(-a)) * b)).ToArray())];
            AddSublayer(rows, Linear(inner, new Site(layer, SiteRole.Down), activeFrom), layer, BottleneckPlace.Mlp);
        }

        return Linear(Norm(rows[virtualRows..], NormSite.Final, activeFrom), Site.Head, activeFrom);
    }

    private IEnumerable<float[]> VirtualEmbeddings(CpuAdapter adapter) =>
        Enumerable.Range(0, adapter.VirtualRows).Select(i => adapter.VirtualEmbeddings == 0 ? new float[model.Width] : Copy(adapter.VirtualEmbeddings, i, model.Width));

    private static float[] Copy(nint rows, int index, int width) => new ReadOnlySpan<float>((float*)rows + (index * width), width).ToArray();

    private void AddSublayer(float[][] rows, float[][] results, int layer, BottleneckPlace place)
    {
        for (int t = 0; t < rows.Length; t++)
        {
            float[] sum = [.. rows[t].Zip(results[t], (a, b) => a + b)];
            float[] changed = [.. sum];
            foreach ((CpuAdapter adapter, float weight) in adapters)
            {
                if (adapter.At(layer, place) is { } edit)
                {
                    float[] added = Bottleneck(edit, rows[t], results[t], sum);
                    changed = [.. changed.Zip(added, (a, b) => a + (weight * b))];
                }
            }

            rows[t] = changed;
        }
    }

    private float[] Bottleneck(BottleneckEdit edit, float[] residual, float[] sublayer, float[] sum)
    {
        float[] input = edit.Input switch { BottleneckInput.Sublayer => sublayer, BottleneckInput.Sum => sum, _ => residual };
        float[] narrow = [.. Product(edit.Down, input).Zip(Copy(edit.DownBias, 0, edit.Down.Outputs), (x, b) => (float)Activate(edit.Activation, x + b))];
        float[] up = [.. Product(edit.Up, narrow).Zip(Copy(edit.UpBias, 0, model.Width), (x, b) => x + b)];
        float[] f = [.. up.Zip(Copy(edit.Scale, 0, model.Width), (x, s) => x * s)];
        if (edit.NormGain == 0)
        {
            return f;
        }

        float[] normed = edit.NormCoversSublayer ? [.. f.Zip(sublayer, (a, b) => a + b)] : f;
        double mean = normed.Average();
        double deviation = Math.Sqrt(normed.Average(x => (x - mean) * (x - mean)) + BottleneckEdit.NormEpsilon);
        (float[] gain, float[] bias) = (Copy(edit.NormGain, 0, model.Width), Copy(edit.NormBias, 0, model.Width));
        return [.. normed.Select((x, i) => (float)(((x - mean) / deviation * gain[i]) + bias[i] - (edit.NormCoversSublayer ? sublayer[i] : 0)))];
    }

    private static double Activate(Activation activation, double x) => activation switch
    {
        Activation.Relu => Math.Max(x, 0),
        Activation.LeakyRelu => x > 0 ? x : x / 100,
        Activation.Silu => x / (1 + Math.Exp(-x)),
        Activation.Gelu => x * MathNet.Numerics.Distributions.Normal.CDF(0, 1, x),
        Activation.TanhGelu => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        Activation.Tanh => Math.Tanh(x),
        _ => 1 / (1 + Math.Exp(-x)),
    };

    private static int ActiveFrom(CpuAdapter adapter, ReadOnlySpan<int> prompt)
    {
        if (adapter.InvocationTokens.IsEmpty)
        {
            return 0;
        }

        int place = prompt.LastIndexOf(adapter.InvocationTokens);
        return place < 0 ? int.MaxValue : place;
    }

    private float[] Product(PackedMatrix matrix, float[] x)
    {
        if (!_unpacked.TryGetValue(matrix, out float[][]? rows))
        {
            rows = [.. Enumerable.Range(0, matrix.Outputs).Select(output =>
            {
                float[] row = new float[matrix.Inputs];
                matrix.CopyRow(output, row);
                return row;
            })];
            _unpacked[matrix] = rows;
        }

        return Array.ConvertAll(rows, row => Dot(row, x));
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => TensorPrimitives.Dot(a, b);

    private float[] Embed(int token, int position, int[] activeFrom)
    {
        float[] row = new float[model.Width];
        Weights.CopyWeightRow(Site.Embedding, token, row);
        for (int a = 0; a < adapters.Length; a++)
        {
            if (position >= activeFrom[a])
            {
                adapters[a].Adapter.Embedding?.Apply(token, adapters[a].Weight, row);
            }
        }

        return row;
    }

    private float[][] Norm(float[][] rows, NormSite site, int[] activeFrom)
    {
        float[] gains = new float[model.Width];
        Weights.CopyNorm(site, gains);
        return [.. rows.Select((row, position) =>
        {
            double scale = 1 / Math.Sqrt((Dot(row, row) / row.Length) + model.NormEpsilon);
            return row.Select((x, i) =>
            {
                float gain = gains[i];
                for (int a = 0; a < adapters.Length; a++)
                {
                    if (position >= activeFrom[a] && adapters[a].Adapter.At(site) is { } edit)
                    {
                        gain += adapters[a].Weight * ((float*)edit.Values)[i];
                    }
                }

                return (float)(x * scale * gain);
            }).ToArray();
        })];
    }

    private float[][] Linear(float[][] rows, Site site, int[] activeFrom)
    {
        BaseModule module = model.At(site);
        if (!_weights.TryGetValue(site, out float[]? weight))
        {
            weight = new float[module.Outputs * module.Inputs];
            for (int row = 0; row < module.Outputs; row++)
            {
                Weights.CopyWeightRow(site, row, weight.AsSpan(row * module.Inputs, module.Inputs));
            }

            _weights[site] = weight;
        }

        float[] bias = new float[module.Outputs];
        Weights.CopyBias(site, bias);
        return [.. rows.Select((x, position) =>
        {
            float[] y = new float[module.Outputs];
            float[] scaled = ScaleInput(x, site);
            for (int output = 0; output < y.Length; output++)
            {
                y[output] = Dot(weight.AsSpan(output * module.Inputs, module.Inputs), scaled);
            }

            for (int a = 0; a < adapters.Length; a++)
            {
                if (position >= activeFrom[a] && adapters[a].Adapter.At(site) is { } edit)
                {
                    Apply(edit, adapters[a].Weight, x, y);
                }
            }

            return y.Zip(bias, (value, b) => value + b).ToArray();
        })];
    }

    private float[] ScaleInput(float[] x, Site site)
    {
        float[] scaled = [.. x];
        foreach ((CpuAdapter adapter, float weight) in adapters)
        {
            if (adapter.At(site) is { InputGain: not 0 } edit)
            {
                for (int i = 0; i < x.Length; i++)
                {
                    scaled[i] += weight * ((float*)edit.InputGain)[i] * x[i];
                }
            }

            if (adapter.At(site) is { Rotation.IsEmpty: false } rotation)
            {
                float[] rotated = Rotate(rotation, scaled);
                scaled = [.. scaled.Zip(rotated, (before, after) => before + (weight * (after - before)))];
            }
        }

        return scaled;
    }

    private static float[] Rotate(LinearEdit edit, float[] x)
    {
        foreach (RotationFactor factor in edit.Rotation)
        {
            float[] rotated = [.. x];
            for (int place = 0; place < x.Length; place++)
            {
                for (int c = 0; c < factor.Size; c++)
                {
                    rotated[Input(factor, (place / factor.Size * factor.Size) + c)] += ((float*)factor.Changes)[(place * factor.Size) + c] * x[Input(factor, place)];
                }
            }

            x = rotated;
        }

        return x;

        static int Input(RotationFactor factor, int place) => factor.Order == 0 ? place : ((int*)factor.Order)[place];
    }

    private void Apply(LinearEdit edit, float weight, float[] x, float[] y)
    {
        if (edit.OutputGain != 0)
        {
            for (int i = 0; i < y.Length; i++)
            {
                y[i] += weight * ((float*)edit.OutputGain)[i] * y[i];
            }
        }

        void AddProduct(float[] summands, float factor)
        {
            for (int i = 0; i < y.Length; i++)
            {
                y[i] += factor * summands[i];
            }
        }

        if (edit.A is not null)
        {
            float[] down = Scaled(Product(edit.A, x), edit.RankScale);
            AddProduct(Scaled(Product(edit.B!, down), edit.ProductScale), weight * edit.Scale);
        }

        if (edit.Dense is not null)
        {
            AddProduct(Product(edit.Dense, x), weight);
        }

        if (edit.Bias != 0)
        {
            AddProduct(new ReadOnlySpan<float>((float*)edit.Bias, y.Length).ToArray(), weight);
        }

        if (edit.RowDeltas is not null)
        {
            float[] changes = Product(edit.RowDeltas, x);
            for (int i = 0; i < changes.Length; i++)
            {
                y[edit.RowIds[i]] += weight * changes[i];
            }
        }
    }

    private static float[] Scaled(float[] values, nint factors) =>
        factors == 0 ? values : [.. values.Select((value, i) => value * ((float*)factors)[i])];

    private float[][] Attend(int layer, float[][] queries, float[][] keys, float[][] values)
    {
        Array.ForEach([.. queries.Select((row, position) => (row, position))], entry => Rotate(entry.row, entry.position));
        Array.ForEach([.. keys.Select((row, position) => (row, position))], entry => Rotate(entry.row, entry.position));
        int row = 0;
        foreach ((CpuAdapter adapter, _) in adapters)
        {
            for (int i = 0; i < adapter.VirtualRows; i++, row++)
            {
                if (adapter.PrefixAt(layer) is { } prefix)
                {
                    (keys[row], values[row]) = (Copy(prefix.Keys, i, prefix.Width), Copy(prefix.Values, i, prefix.Width));
                }
            }
        }

        int size = model.HeadSize;
        int group = model.QueryHeads / model.KeyValueHeads;
        return [.. queries.Select((query, position) =>
        {
            float[] result = new float[query.Length];
            for (int head = 0; head < model.QueryHeads; head++)
            {
                int shared = head / group * size;
                double[] scores = [.. Enumerable.Range(0, position + 1).Select(earlier =>
                    Dot(query.AsSpan(head * size, size), keys[earlier].AsSpan(shared, size)) / Math.Sqrt(size))];
                double greatest = scores.Max();
                double[] parts = [.. scores.Select(score => Math.Exp(score - greatest))];
                double total = parts.Sum();
                for (int i = 0; i < size; i++)
                {
                    result[(head * size) + i] = (float)Enumerable.Range(0, position + 1).Sum(earlier => parts[earlier] / total * values[earlier][shared + i]);
                }
            }

            return result;
        })];
    }

    private void Rotate(float[] row, int position)
    {
        int half = model.HeadSize / 2;
        for (int start = 0; start < row.Length; start += model.HeadSize)
        {
            for (int i = 0; i < half; i++)
            {
                double angle = position * Math.Pow(model.RopeTheta, -2.0 * i / model.HeadSize);
                (double sin, double cos) = Math.SinCos(angle);
                (float a, float b) = (row[start + i], row[start + half + i]);
                row[start + i] = (float)((a * cos) - (b * sin));
                row[start + half + i] = (float)((b * cos) + (a * sin));
            }
        }
    }
}

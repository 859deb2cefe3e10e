using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Resident;
using LoraServe.Compute.Matrices;

namespace LoraServe.Adapters.Tests.Reference;

/// <summary>A Llama forward pass in plain loops, with adapters applied as <see cref="LinearEdit"/> says.</summary>
internal sealed unsafe class ReferenceForward(FileBaseModel model, params (ResidentAdapter Adapter, float Weight)[] adapters)
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
        int[] activeFrom = [.. adapters.Select(entry => ActiveFrom(entry.Adapter, tokens.AsSpan(0, promptLength)))];
        float[][] rows = [.. tokens.Select((token, position) => Embed(token, position, activeFrom))];
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            float[][] normed = Norm(rows, new NormSite(layer, NormRole.Attention), activeFrom);
            float[][] attended = Attend(
                Linear(normed, new Site(layer, SiteRole.Query), activeFrom),
                Linear(normed, new Site(layer, SiteRole.Key), activeFrom),
                Linear(normed, new Site(layer, SiteRole.Value), activeFrom));
            Add(rows, Linear(attended, new Site(layer, SiteRole.Output), activeFrom));
            normed = Norm(rows, new NormSite(layer, NormRole.Mlp), activeFrom);
            float[][] gate = Linear(normed, new Site(layer, SiteRole.Gate), activeFrom);
            float[][] up = Linear(normed, new Site(layer, SiteRole.Up), activeFrom);
            float[][] inner = [.. gate.Zip(up, (g, u) => g.Zip(u, (a, b) => (float)(a / (1 + Math.Exp(-a)) * b)).ToArray())];
            Add(rows, Linear(inner, new Site(layer, SiteRole.Down), activeFrom));
        }

        return Linear(Norm(rows, NormSite.Final, activeFrom), Site.Head, activeFrom);
    }

    private static int ActiveFrom(ResidentAdapter adapter, ReadOnlySpan<int> prompt)
    {
        if (adapter.InvocationTokens.IsEmpty)
        {
            return 0;
        }

        int place = prompt.LastIndexOf(adapter.InvocationTokens);
        return place < 0 ? int.MaxValue : place;
    }

    private static void Add(float[][] rows, float[][] summands)
    {
        for (int t = 0; t < rows.Length; t++)
        {
            for (int i = 0; i < rows[t].Length; i++)
            {
                rows[t][i] += summands[t][i];
            }
        }
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
                        gain += adapters[a].Weight * ((float*)edit.Delta)[i];
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
            for (int output = 0; output < y.Length; output++)
            {
                y[output] = Dot(weight.AsSpan(output * module.Inputs, module.Inputs), x);
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
            AddProduct(Product(edit.B!, Product(edit.A, x)), weight * edit.Scale);
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

    private float[][] Attend(float[][] queries, float[][] keys, float[][] values)
    {
        Array.ForEach([.. queries.Select((row, position) => (row, position))], entry => Rotate(entry.row, entry.position));
        Array.ForEach([.. keys.Select((row, position) => (row, position))], entry => Rotate(entry.row, entry.position));
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

using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Forward;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Cpu.Tests.Forward;

/// <summary>Bottlenecks against their formula in float64, and activations against their slopes.</summary>
public sealed class BottleneckEditsTests
{
    private const int Size = 9;

    [Theory]
    [InlineData(BottleneckInput.Sublayer, null)]
    [InlineData(BottleneckInput.Sum, null)]
    [InlineData(BottleneckInput.Residual, null)]
    [InlineData(BottleneckInput.Sublayer, false)]
    [InlineData(BottleneckInput.Sum, true)]
    public unsafe void Run_RaggedRunsAndAStack_AddsWhatTheFormulaSays(BottleneckInput input, bool? normCoversSublayer)
    {
        using Transformer model = TinyModel.Create(seed: 1);
        using ResidentAdapter one = TinyEdits.Bottlenecks(model, 2, input, Activation.Tanh, normCoversSublayer, Size);
        using ResidentAdapter two = TinyEdits.Bottlenecks(model, 3, BottleneckInput.Sublayer, Activation.Relu, size: Size);
        EditRun[] runs = [new(1, 20, one, 0.6f, 0), new(12, 5, two, -1, 1)];
        using var pool = new WorkerPool(2);
        using var memory = new ScratchArena();
        Rows sublayer = memory.Rent(24, model.Width);
        Rows residual = memory.Rent(24, model.Width);
        var random = new Random(4);
        for (int t = 0; t < 24; t++)
        {
            for (int i = 0; i < model.Width; i++)
            {
                (sublayer[t][i], residual[t][i]) = (random.NextSingle() - 0.5f, random.NextSingle() - 0.5f);
            }
        }

        double[][] expected = [.. Enumerable.Range(0, 24).Select(t => Expected(t, sublayer.Span(t), residual.Span(t)))];
        var edits = new BottleneckEdits();
        Assert.True(BottleneckEdits.Any(new Site(1, SiteRole.Down), runs));
        edits.Run(pool, memory, new Site(1, SiteRole.Down), runs, sublayer, residual);
        for (int t = 0; t < 24; t++)
        {
            for (int i = 0; i < model.Width; i++)
            {
                Assert.Equal(expected[t][i], residual[t][i], 2e-5);
            }
        }

        Assert.False(BottleneckEdits.Any(new Site(1, SiteRole.Output), []));

        double[] Expected(int row, ReadOnlySpan<float> sub, ReadOnlySpan<float> before)
        {
            double[] sum = new double[sub.Length];
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] = sub[i] + before[i];
            }

            double[] result = [.. sum];
            foreach (EditRun run in runs)
            {
                if (run.FirstRow <= row && row < run.EndRow)
                {
                    double[] f = F(run.Adapter == one ? Edit(2, input, Activation.Tanh, normCoversSublayer) : Edit(3, BottleneckInput.Sublayer, Activation.Relu, null), sub, before);
                    for (int i = 0; i < f.Length; i++)
                    {
                        result[i] += run.Weight * f[i];
                    }
                }
            }

            return result;
        }

        Bottleneck Edit(int seed, BottleneckInput reads, Activation activation, bool? covers) =>
            TinyEdits.BottleneckEdits(model, seed, reads, activation, covers, Size).Last(edit => edit is { Layer: 1, Place: BottleneckPlace.Mlp });
    }

    [Theory]
    [InlineData(Activation.Relu)]
    [InlineData(Activation.LeakyRelu)]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.Gelu)]
    [InlineData(Activation.TanhGelu)]
    [InlineData(Activation.Tanh)]
    [InlineData(Activation.Sigmoid)]
    public unsafe void Activations_Backward_IsTheSlope(Activation activation)
    {
        const float Step = 1e-2f;
        using var memory = new ScratchArena();
        Rows x = memory.Rent(1, 3);
        Rows dy = memory.Rent(1, 1);
        for (float at = -6.05f; at < 6; at += 0.1f)
        {
            (x[0][0], x[0][1], x[0][2], dy[0][0]) = (at - Step, at + Step, at, 3);
            Activations.Backward(activation, x.Columns(2, 1), dy);
            Activations.Run(activation, x);
            Assert.Equal(3 * (x[0][1] - x[0][0]) / (2 * Step), dy[0][0], 1e-3);
        }
    }

    [Theory]
    [InlineData(Activation.Gelu, 1f, 0.8413447461)]
    [InlineData(Activation.Gelu, -2f, -0.0455002639)]
    [InlineData(Activation.TanhGelu, 1f, 0.8411919906)]
    [InlineData(Activation.Silu, -1f, -0.2689414214)]
    [InlineData(Activation.LeakyRelu, -3f, -0.03)]
    [InlineData(Activation.Sigmoid, 2f, 0.8807970780)]
    [InlineData(Activation.Sigmoid, -200f, 0)]
    [InlineData(Activation.Silu, -200f, 0)]
    public unsafe void Activations_Run_GivesKnownValues(Activation activation, float x, double expected)
    {
        using var memory = new ScratchArena();
        Rows rows = memory.Rent(1, 1);
        rows[0][0] = x;
        Activations.Run(activation, rows);
        Assert.Equal(expected, rows[0][0], 3e-7);
    }

    private static double[] F(Bottleneck edit, ReadOnlySpan<float> sub, ReadOnlySpan<float> before)
    {
        double[] f = new double[sub.Length];
        for (int k = 0; k < edit.Down.Rows; k++)
        {
            double inner = edit.DownBias[k];
            for (int i = 0; i < sub.Length; i++)
            {
                inner += edit.Down.Row(k)[i] * (edit.Input switch { BottleneckInput.Sublayer => sub[i], BottleneckInput.Residual => before[i], _ => sub[i] + (double)before[i] });
            }

            inner = edit.Activation == Activation.Tanh ? Math.Tanh(inner) : Math.Max(inner, 0);
            for (int i = 0; i < f.Length; i++)
            {
                f[i] += edit.Up.Row(i)[k] * inner;
            }
        }

        for (int i = 0; i < f.Length; i++)
        {
            f[i] = edit.Scale[edit.Scale.Length == 1 ? 0 : i] * (f[i] + edit.UpBias[i]);
        }

        if (edit.Norm is { } norm)
        {
            double[] v = [.. f];
            for (int i = 0; i < v.Length; i++)
            {
                v[i] += norm.CoversSublayer ? sub[i] : 0;
            }

            double mean = v.Average();
            double deviation = Math.Sqrt(v.Average(value => (value - mean) * (value - mean)) + 1e-5);
            for (int i = 0; i < f.Length; i++)
            {
                f[i] = ((v[i] - mean) / deviation * norm.Gain[i]) + norm.Bias[i] - (norm.CoversSublayer ? sub[i] : 0);
            }
        }

        return f;
    }
}

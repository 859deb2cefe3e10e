using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;
using LoraServe.Cpu.Forward;

namespace LoraServe.Cpu.Tests.Forward;

/// <summary>Activations against their slopes and known values.</summary>
public sealed class ActivationsTests
{
    [Theory]
    [InlineData(Activation.Relu)]
    [InlineData(Activation.LeakyRelu)]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.Gelu)]
    [InlineData(Activation.TanhGelu)]
    [InlineData(Activation.Tanh)]
    [InlineData(Activation.Sigmoid)]
    public unsafe void Backward_AnyInput_IsTheSlope(Activation activation)
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
    public unsafe void Run_KnownInputs_GiveKnownValues(Activation activation, float x, double expected)
    {
        using var memory = new ScratchArena();
        Rows rows = memory.Rent(1, 1);
        rows[0][0] = x;
        Activations.Run(activation, rows);
        Assert.Equal(expected, rows[0][0], 3e-7);
    }
}

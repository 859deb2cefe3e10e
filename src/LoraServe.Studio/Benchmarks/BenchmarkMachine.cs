using LoraServe.Compute.Workers;
using LoraServe.Models;

namespace LoraServe.Studio.Benchmarks;

/// <summary>What a benchmark ran on: what a figure means nothing without.</summary>
/// <param name="Device">The device's name, such as <c>cpu</c>.</param>
/// <param name="Processor">What it calls itself.</param>
/// <param name="InstructionSet">What its products are made of.</param>
/// <param name="Threads">Threads of this machine's processor that compute.</param>
/// <param name="Type">The type whose multiply-adds were measured: what the model computes in.</param>
/// <param name="ReadGbPerS">Measured reads of the device's memory, 10⁹ bytes a second.</param>
/// <param name="FloatGflopPerS">Measured multiply-adds, 10⁹ operations a second.</param>
public sealed record BenchmarkMachine(string Device, string Processor, string InstructionSet, int Threads, string Type, double ReadGbPerS, double FloatGflopPerS)
{
    /// <summary>Measures what a model is on, on this machine's processor with the threads of <paramref name="pool"/>.</summary>
    public static BenchmarkMachine Measure(Transformer model, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(pool);
        DeviceLimits limits = model.MeasureLimits(pool);
        return new BenchmarkMachine(
            model.Device, limits.Processor, limits.InstructionSet, pool.WorkerCount, limits.Type, limits.ReadBytesPerSecond / 1e9, limits.OperationsPerSecond / 1e9);
    }
}

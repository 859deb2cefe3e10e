using System.Runtime.InteropServices;
using LoraServe.Compute.Machine;
using LoraServe.Compute.Workers;

namespace LoraServe.Studio.Benchmarks;

/// <summary>The machine that a benchmark ran on: what a figure means nothing without.</summary>
/// <param name="Processor">Its name.</param>
/// <param name="InstructionSet">What the matrix kernels use.</param>
/// <param name="Threads">Threads that compute.</param>
/// <param name="ReadGbPerS">Measured sequential reads of memory by all threads, 10⁹ bytes a second.</param>
/// <param name="FloatGflopPerS">Measured float32 multiply-adds by all threads, 10⁹ operations a second.</param>
public sealed record BenchmarkMachine(string Processor, string InstructionSet, int Threads, double ReadGbPerS, double FloatGflopPerS)
{
    private const string ProcessorInformation = "/proc/cpuinfo";

    /// <summary>Measures this machine with the threads of <paramref name="pool"/>.</summary>
    public static BenchmarkMachine Measure(WorkerPool pool)
    {
        var limits = MachineLimits.Measure(pool);
        return new BenchmarkMachine(ProcessorName(), Compute.Machine.InstructionSet.Name, pool.WorkerCount, limits.ReadBytesPerSecond / 1e9, limits.FloatOperationsPerSecond / 1e9);
    }

    /// <summary>What the machine calls its processor.</summary>
    public static string ProcessorName()
    {
        string? line = File.Exists(ProcessorInformation)
            ? File.ReadLines(ProcessorInformation).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? $"{RuntimeInformation.ProcessArchitecture}";
    }
}

using LoraServe.Models;
using LoraServe.Models.Spec;

namespace LoraServe.Studio.Benchmarks;

/// <summary>What a step must at least read and compute, from the model's shape.</summary>
internal sealed record WorkLimits(BenchmarkMachine Machine, Transformer Model)
{
    private const int HalfBytes = 2;

    /// <summary>Shortest possible seconds by memory alone: all weights at each step; distinct adapters, and every sequence's keys and values, at each or once.</summary>
    /// <param name="steps">Steps.</param>
    /// <param name="sequences">Sequences.</param>
    /// <param name="meanLength">Positions of a sequence on average.</param>
    /// <param name="adapterBytes">Bytes of all distinct adapters.</param>
    /// <param name="passes">How often adapters, keys and values are read.</param>
    public double ReadSeconds(int steps, int sequences, double meanLength, long adapterBytes, int passes)
    {
        TransformerSpec spec = Model.Spec;
        double cache = (double)sequences * meanLength * spec.LayerCount * 2 * spec.KeyValueHeads * spec.HeadSize * HalfBytes;
        return (((double)steps * Model.StepBytes) + (passes * (cache + adapterBytes))) / (Machine.ReadGbPerS * 1e9);
    }

    /// <summary>Shortest possible seconds of arithmetic: two operations for each weight and row, and attention; what adapters add is not counted.</summary>
    /// <param name="rows">Token rows.</param>
    /// <param name="logitRows">Of these, rows that need logits.</param>
    /// <param name="meanLength">Positions that a row attends to on average.</param>
    public double ComputeSeconds(long rows, long logitRows, double meanLength)
    {
        TransformerSpec spec = Model.Spec;
        double layers = Model.Modules.Where(module => module.Site.Layer >= 0).Sum(module => (double)module.Outputs * module.Inputs);
        double head = (double)spec.VocabularySize * spec.Width;
        double attention = 2.0 * spec.LayerCount * spec.QueryHeads * spec.HeadSize * meanLength;
        return 2 * ((rows * (layers + attention)) + (logitRows * head)) / (Machine.FloatGflopPerS * 1e9);
    }
}

using System.Diagnostics;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Studio.Benchmarks;

/// <summary>Measures decoding, prefill and mixed batches.</summary>
public sealed class SpeedBenchmark(LoadedModel model, WorkerPool pool, BenchmarkMachine machine, BenchmarkOptions options)
{
    private readonly WorkLimits _limits = new(machine, model.Transformer);

    /// <summary>Decoding without adapters, for each size of batch.</summary>
    public IEnumerable<BenchmarkResult> Decode() => options.Batches.Select(batch => Decode("decode", batch, [[]])[0]);

    /// <summary>Decoding with no, a few and many distinct adapters, repetition by repetition in turns, so that all see the same machine.</summary>
    public IEnumerable<BenchmarkResult> Mixed()
    {
        using var files = new RandomAdapters(model.Transformer, options.Adapters, options.Rank);
        ResidentAdapter[] adapters = [.. Enumerable.Range(0, options.Adapters).Select(files.Load)];
        try
        {
            foreach (int batch in options.Batches)
            {
                int[] counts = [.. new[] { 0, Math.Min(8, batch), batch }.Select(count => Math.Min(count, options.Adapters)).Distinct()];
                foreach (BenchmarkResult result in Decode("mixed", batch, [.. counts.Select(count => adapters[..count])]))
                {
                    yield return result;
                }
            }
        }
        finally
        {
            Array.ForEach(adapters, adapter => adapter.Dispose());
        }
    }

    /// <summary>One prompt without adapters.</summary>
    public IEnumerable<BenchmarkResult> Prefill()
    {
        using var batch = new SequenceBatch(model.Transformer, pool, sequences: 1, options.PromptTokens, tokens: 0);
        batch.Prefill();
        var run = new Measurement(options.Repetitions);
        for (int i = 0; i < options.Repetitions; i++)
        {
            run.Time(batch.Prefill);
        }

        double compute = _limits.ComputeSeconds(options.PromptTokens, 1, (options.PromptTokens + 1) / 2.0);
        double read = _limits.ReadSeconds(1, options.PromptTokens, 0);
        yield return Result("prefill", 1, [], run, options.PromptTokens, read, compute);
    }

    private List<BenchmarkResult> Decode(string name, int sequences, ResidentAdapter[][] variants)
    {
        using var batch = new SequenceBatch(model.Transformer, pool, sequences, options.PromptTokens, options.Tokens);
        batch.Prefill();
        Measurement[] runs = [.. variants.Select(_ => new Measurement(options.Repetitions))];

        // The first round is for warming up, and is not counted.
        for (int i = -1; i < options.Repetitions; i++)
        {
            for (int variant = 0; variant < variants.Length; variant++)
            {
                ResidentAdapter[] adapters = variants[variant];
                Action steps = () => Steps(batch, adapters);
                if (i < 0)
                {
                    steps();
                }
                else
                {
                    runs[variant].Time(steps);
                }
            }
        }

        double meanLength = options.PromptTokens + ((options.Tokens + 1) / 2.0);
        double compute = options.Tokens * _limits.ComputeSeconds(sequences, sequences, meanLength);
        var results = new List<BenchmarkResult>();
        for (int variant = 0; variant < variants.Length; variant++)
        {
            double read = options.Tokens * _limits.ReadSeconds(sequences, meanLength, variants[variant].Sum(adapter => adapter.ByteLength));
            BenchmarkResult result = Result(name, sequences, variants[variant], runs[variant], (long)sequences * options.Tokens, read, compute);
            results.Add(variant == 0 ? result : result with { RatioToNoAdapters = runs[variant].MedianRatioTo(runs[0]) });
        }

        return results;
    }

    private void Steps(SequenceBatch batch, ResidentAdapter[] adapters)
    {
        for (int step = 0; step < options.Tokens; step++)
        {
            batch.Decode(options.PromptTokens + step, adapters);
        }
    }

    private BenchmarkResult Result(string name, int sequences, ResidentAdapter[] adapters, Measurement run, long tokens, double readSeconds, double computeSeconds) => new()
    {
        Bench = name,
        Model = model.Name,
        Batch = sequences,
        Adapters = adapters.Length,
        Rank = adapters.Length > 0 ? options.Rank : 0,
        PromptTokens = options.PromptTokens,
        TokensPerS = tokens / run.BestSeconds,
        MedianTokensPerS = tokens / run.MedianSeconds,
        RatioToBandwidth = readSeconds / run.BestSeconds,
        RatioToFloatPeak = computeSeconds / run.BestSeconds,
        AllocatedBytesPerToken = (double)run.LeastAllocatedBytes / tokens,
        Machine = machine,
    };

    /// <summary>Times of the same work, repeated.</summary>
    private sealed class Measurement(int repetitions)
    {
        private readonly List<double> _seconds = new(repetitions);

        public double BestSeconds => _seconds.Min();

        public double MedianSeconds => Median(_seconds);

        /// <summary>Of the repetition that allocated least: compiling better code while running allocates too, now and then.</summary>
        public long LeastAllocatedBytes { get; private set; } = long.MaxValue;

        public void Time(Action work)
        {
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            long start = Stopwatch.GetTimestamp();
            work();
            _seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            LeastAllocatedBytes = Math.Min(LeastAllocatedBytes, GC.GetTotalAllocatedBytes(precise: true) - allocated);
        }

        /// <summary>How fast this is against <paramref name="other"/>, of each pair of neighbours.</summary>
        public double MedianRatioTo(Measurement other) => Median([.. other._seconds.Zip(_seconds, (reference, mine) => reference / mine)]);

        private static double Median(List<double> values)
        {
            double[] sorted = [.. values.Order()];
            return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
        }
    }
}

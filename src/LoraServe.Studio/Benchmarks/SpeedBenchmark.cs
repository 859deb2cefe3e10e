using System.Diagnostics;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Studio.Benchmarks;

/// <summary>Measures decoding, prefill and mixed batches.</summary>
public sealed class SpeedBenchmark(LoadedModel model, WorkerPool pool, BenchmarkMachine machine, BenchmarkOptions options)
{
    private readonly WorkLimits _limits = new(machine, model.Transformer);

    /// <summary>Decoding, one token for each sequence at each step.</summary>
    public IEnumerable<BenchmarkResult> Decode() => Measure("decode", Decode);

    /// <summary>The same under the name of what it is about, mixed batches.</summary>
    public IEnumerable<BenchmarkResult> Mixed() => Measure("mixed", Decode);

    /// <summary>Prompts, one for each sequence.</summary>
    public IEnumerable<BenchmarkResult> Prefill() => Measure("prefill", Prefill);

    /// <summary>Measures each size of batch with no, a few and many distinct adapters.</summary>
    private IEnumerable<BenchmarkResult> Measure(string name, Func<int, Work> prepare)
    {
        var random = new RandomAdapters(model.Transformer, options.Rank, options.Targets);
        var adapters = new List<ResidentAdapter>();
        try
        {
            for (int i = 0; i < Math.Min(options.Adapters, options.Batches.Max()); i++)
            {
                adapters.Add(random.Place(i));
            }

            foreach (int batch in options.Batches)
            {
                ResidentAdapter[][] variants = [.. Counts(Math.Min(batch, adapters.Count)).Select(count => adapters[..count].ToArray())];
                using Work work = prepare(batch);
                foreach (BenchmarkResult result in Measure(name, batch, variants, work))
                {
                    yield return result;
                }
            }
        }
        finally
        {
            adapters.ForEach(adapter => adapter.Dispose());
        }
    }

    /// <summary>0, 8, 32, 128, … and the most.</summary>
    private static IEnumerable<int> Counts(int most)
    {
        for (int count = 0; count < most; count = count == 0 ? 8 : count * 4)
        {
            yield return count;
        }

        yield return most;
    }

    private Work Decode(int sequences)
    {
        var batch = new SequenceBatch(model.Transformer, pool, sequences, options.PromptTokens, options.Tokens, options.StepRows);
        batch.Prefill([]);
        double meanLength = options.PromptTokens + ((options.Tokens + 1) / 2.0);
        return new Work(
            batch,
            adapters =>
            {
                for (int step = 0; step < options.Tokens; step++)
                {
                    batch.Decode(options.PromptTokens + step, adapters);
                }
            },
            (long)sequences * options.Tokens,
            adapterBytes => _limits.ReadSeconds(options.Tokens, sequences, meanLength, adapterBytes, passes: options.Tokens),
            options.Tokens * _limits.ComputeSeconds(sequences, sequences, meanLength));
    }

    private Work Prefill(int sequences)
    {
        var batch = new SequenceBatch(model.Transformer, pool, sequences, options.PromptTokens, tokens: 0, options.StepRows);
        long rows = (long)sequences * options.PromptTokens;
        int steps = (int)((rows + options.StepRows - 1) / options.StepRows);
        return new Work(
            batch,
            adapters => batch.Prefill(adapters),
            rows,
            adapterBytes => _limits.ReadSeconds(steps, sequences, options.PromptTokens, adapterBytes, passes: 1),
            _limits.ComputeSeconds(rows, sequences, (options.PromptTokens + 1) / 2.0));
    }

    /// <summary>Repetition by repetition in turns, so that all variants see the same machine.</summary>
    private List<BenchmarkResult> Measure(string name, int sequences, ResidentAdapter[][] variants, Work work)
    {
        Measurement[] runs = [.. variants.Select(_ => new Measurement(options.Repetitions))];

        // The first round is for warming up, and is not counted.
        for (int i = -1; i < options.Repetitions; i++)
        {
            for (int variant = 0; variant < variants.Length; variant++)
            {
                ResidentAdapter[] adapters = variants[variant];
                if (i < 0)
                {
                    work.Run(adapters);
                }
                else
                {
                    runs[variant].Time(() => work.Run(adapters));
                }
            }
        }

        return [.. variants.Select((adapters, variant) => Result(name, sequences, adapters, runs[variant], work) with
        {
            RatioToNoAdapters = variant == 0 ? null : runs[variant].MedianRatioTo(runs[0]),
        })];
    }

    private BenchmarkResult Result(string name, int sequences, ResidentAdapter[] adapters, Measurement run, Work work) => new()
    {
        Bench = name,
        Model = model.Name,
        Batch = sequences,
        Adapters = adapters.Length,
        Rank = adapters.Length > 0 ? options.Rank : 0,
        Targets = adapters.Length > 0 ? options.Targets : null,
        PromptTokens = options.PromptTokens,
        TokensPerS = work.Tokens / run.BestSeconds,
        MedianTokensPerS = work.Tokens / run.MedianSeconds,
        RatioToBandwidth = work.ReadSeconds(adapters.Sum(adapter => adapter.ByteLength)) / run.BestSeconds,
        RatioToFloatPeak = work.ComputeSeconds / run.BestSeconds,
        AllocatedBytesPerToken = (double)run.LeastAllocatedBytes / work.Tokens,
        Machine = machine,
    };

    /// <summary>What one repetition does.</summary>
    /// <param name="Batch">The sequences, of which this is the owner.</param>
    /// <param name="Run">Does it with some adapters.</param>
    /// <param name="Tokens">Tokens that it gives.</param>
    /// <param name="ReadSeconds">Its shortest possible time by memory alone, with adapters of so many bytes.</param>
    /// <param name="ComputeSeconds">Its shortest possible time by arithmetic alone.</param>
    private sealed record Work(SequenceBatch Batch, Action<ResidentAdapter[]> Run, long Tokens, Func<long, double> ReadSeconds, double ComputeSeconds) : IDisposable
    {
        public void Dispose() => Batch.Dispose();
    }

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

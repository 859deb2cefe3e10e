using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Machine;
using LoraServe.Compute.Workers;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Benchmarks.Forward;

/// <summary>Times steps of a model and prints them as ratios to their matrix products alone, to the machine's limits and to themselves without adapters.</summary>
internal static class StepReport
{
    private const int Rank = 8;
    private const double SecondsPerCase = 0.3;

    private static readonly (string Name, int Sequences, int Rows, int Position)[] s_cases =
    [
        ("decode1", 1, 1, 64),
        ("decode8", 8, 1, 64),
        ("decode32", 32, 1, 64),
        ("long1", 1, 1, 2000),
        ("long8", 8, 1, 2000),
        ("prefill128", 1, 128, 0),
        ("prefill512", 1, 512, 0),
    ];

    /// <summary>Best of what a second or so has room for; what is compared takes turns, so that noise hits all of it.</summary>
    /// <param name="output">Where lines go.</param>
    /// <param name="modelPath">GGUF file or Hugging Face directory.</param>
    /// <param name="choice">Beginnings of names of cases, "w" and a number of workers, "ops" for the time of each operation; nothing for all cases with one worker per core.</param>
    public static void Print(TextWriter output, string modelPath, string[] choice)
    {
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, modelPath);
        int[] workerCounts = [.. choice.Where(word => word[0] == 'w').Select(word => int.Parse(word[1..], CultureInfo.InvariantCulture))];
        string[] names = [.. choice.Where(word => word[0] != 'w' && word != "ops")];
        ResidentAdapter[] adapters = [.. Enumerable.Range(0, 32).Select(seed => CreateAdapter(model.Transformer, seed))];
        foreach (int workers in workerCounts.Length > 0 ? workerCounts : [ProcessorTopology.PhysicalCores])
        {
            using var pool = new WorkerPool(workers);
            MachineLimits limits = MachineLimits.Measure(pool);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{workers} workers: reads {limits.ReadBytesPerSecond / 1e9:F1} GB/s, multiply-adds {limits.FloatOperationsPerSecond / 1e9:F0} GFLOP/s, fork and join {Forks(pool) * 1e6:F1} µs"));
            foreach ((string name, int sequences, int rows, int position) in s_cases)
            {
                if (names.Length == 0 || names.Any(name.StartsWith))
                {
                    using var batch = new StepBatch(model.Transformer, pool, sequences, rows, position, adapters);
                    Print(output, name, batch, limits);
                    if (choice.Contains("ops"))
                    {
                        PrintOperations(output, batch);
                    }
                }
            }
        }

        Array.ForEach(adapters, adapter => adapter.Dispose());
    }

    private static void Print(TextWriter output, string name, StepBatch batch, MachineLimits limits)
    {
        double[] best = Best(batch.RunProducts, batch.RunPlain, batch.RunAdapted);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {name,-10} {best[1] * 1e3,8:F2} ms {batch.RowCount / best[1],7:F0} tok/s; ÷ products {best[1] / best[0]:F3} ({best[0] * 1e3:F2} ms); weights {batch.WeightBytes / best[1] / limits.ReadBytesPerSecond,4:P0} of bandwidth; with adapters {best[1] / best[2]:F3}× the speed"));
    }

    private static void PrintOperations(TextWriter output, StepBatch batch)
    {
        TimedOps ops = batch.Timed();
        SortedDictionary<string, TimeSpan> best = [];
        Best(() =>
        {
            batch.RunTimed(ops);
            SortedDictionary<string, TimeSpan> times = ops.TakeTimes();
            if (best.Count == 0 || Total(times) < Total(best))
            {
                best = times;
            }
        });
        foreach ((string operation, TimeSpan time) in best.OrderByDescending(pair => pair.Value))
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"    {operation,-9} {time.TotalMilliseconds,8:F3} ms {time / Total(best),5:P1}"));
        }

        static TimeSpan Total(SortedDictionary<string, TimeSpan> times) => times.Values.Aggregate((a, b) => a + b);
    }

    /// <summary>What a fork and join takes beyond its shares, which are long enough for every worker to get its own.</summary>
    private static double Forks(WorkerPool pool)
    {
        const int Forks = 200;
        var job = default(WaitingJob);
        return (Best(() =>
        {
            for (int i = 0; i < Forks; i++)
            {
                pool.Run(ref job);
            }
        })[0] / Forks) - WaitingJob.Share.TotalSeconds;
    }

    private static double[] Best(params Action[] runs)
    {
        double[] best = new double[runs.Length];
        Array.Fill(best, double.MaxValue);
        long deadline = Stopwatch.GetTimestamp() + (long)(Stopwatch.Frequency * SecondsPerCase * runs.Length);
        for (int i = 0; i < 5 || Stopwatch.GetTimestamp() < deadline; i++)
        {
            for (int run = 0; run < runs.Length; run++)
            {
                long start = Stopwatch.GetTimestamp();
                runs[run]();
                best[run] = Math.Min(best[run], Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        return best;
    }

    /// <summary>A low-rank adapter of the query and value maps.</summary>
    private static ResidentAdapter CreateAdapter(Transformer model, int seed)
    {
        var random = new Random(seed);
        var edits = model.Modules.Where(module => module.Site.Role is SiteRole.Query or SiteRole.Value)
            .Select(module => new LowRank(module.Site, Matrix(Rank, module.Inputs), Matrix(module.Outputs, Rank), 1)).ToImmutableArray<AdapterEdit>();
        var report = new AdapterReport
        {
            Method = "LoRA",
            MatchedModules = [],
            UnmatchedModules = [],
            MinimumRank = Rank,
            MaximumRank = Rank,
            DeltaNorms = ImmutableSortedDictionary<string, double>.Empty,
            FileBytes = 0,
            TensorCount = 0,
        };
        return model.Place(new Adapter(edits, [], $"random {seed}", report));

        FloatMatrix Matrix(int rows, int columns) =>
            new(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => (random.NextSingle() - 0.5f) * 0.02f)]);
    }

    private readonly struct WaitingJob : IParallelJob
    {
        public static readonly TimeSpan Share = TimeSpan.FromMicroseconds(20);

        public void Run(int worker, int workerCount)
        {
            for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Share;)
            {
            }
        }
    }
}

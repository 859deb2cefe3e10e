using System.Diagnostics;
using LoraServe.Adapters.Loading;
using LoraServe.Compute;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Studio.Benchmarks;

/// <summary>Measures how long it takes from the start of the process to the first token, and how fast models and adapters load.</summary>
public static class LoadBenchmark
{
    private const int PromptTokens = 16;

    /// <summary>Must be the first thing that the process does: its start is what is measured from.</summary>
    public static LoadResult Run(IDevice device, string modelPath, Arithmetic arithmetic, int threads, BenchmarkOptions options)
    {
        (double firstLoad, long fileBytes, LoadedModel model) = Load(device, modelPath, arithmetic, threads);
        using LoadedModel loaded = model;
        using var pool = new WorkerPool(threads);
        double firstToken = FirstToken(loaded, pool);
        double bestLoad = firstLoad;
        for (int i = 1; i < options.Repetitions; i++)
        {
            (double seconds, _, LoadedModel again) = Load(device, modelPath, arithmetic, threads);
            again.Dispose();
            bestLoad = Math.Min(bestLoad, seconds);
        }

        using var files = new RandomAdapterFiles(loaded.Transformer, 1, options.Rank);
        var adapterSeconds = new List<double>();
        for (int i = 0; i < Math.Max(options.Repetitions, 3); i++)
        {
            long start = Stopwatch.GetTimestamp();
            using ResidentAdapter adapter = loaded.Transformer.Place(AdapterLoader.Load(files.Directories[0], loaded.Transformer));
            adapterSeconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        long adapterBytes = new DirectoryInfo(files.Directories[0]).EnumerateFiles("*.safetensors").Sum(file => file.Length);
        return new LoadResult(
            "load", loaded.Name, loaded.Transformer.ByteLength, firstToken, bestLoad, fileBytes / 1e6 / bestLoad,
            options.Rank, adapterBytes, adapterSeconds.Order().ElementAt(adapterSeconds.Count / 2) * 1000, BenchmarkMachine.Measure(loaded.Transformer, pool));
    }

    private static (double Seconds, long FileBytes, LoadedModel Model) Load(IDevice device, string path, Arithmetic arithmetic, int threads)
    {
        var progress = new TotalBytes();
        long start = Stopwatch.GetTimestamp();
        LoadedModel model = ModelLoader.Load(device, path, new ModelLoadOptions { Arithmetic = arithmetic, Workers = threads, Progress = progress });
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, progress.Value, model);
    }

    private static double FirstToken(LoadedModel model, WorkerPool pool)
    {
        using var batch = new SequenceBatch(model.Transformer, pool, sequences: 1, PromptTokens, tokens: 1, stepRows: PromptTokens);
        batch.Prefill([]);
        using var process = Process.GetCurrentProcess();
        return (TimeProvider.System.GetLocalNow().DateTime - process.StartTime).TotalSeconds;
    }

    private sealed class TotalBytes : IProgress<ModelLoadProgress>
    {
        public long Value { get; private set; }

        public void Report(ModelLoadProgress value) => Value = value.BytesTotal;
    }
}

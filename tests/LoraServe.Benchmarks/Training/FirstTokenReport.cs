using System.Diagnostics;
using System.Globalization;
using LoraServe.Compute;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Training;
using LoraServe.Training.Options;
using LoraServe.Training.Reports;

namespace LoraServe.Benchmarks.Training;

/// <summary>How much longer requests wait for their first token while a server also trains.</summary>
internal static class FirstTokenReport
{
    private const int Requests = 40;
    private const int PromptTokens = 64;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(150);

    /// <summary>Sends requests one after another, first with an idle trainer, then with one that trains on the rows.</summary>
    /// <param name="output">Where the report goes.</param>
    /// <param name="path">The model.</param>
    /// <param name="data">Rows to train on.</param>
    public static async Task PrintAsync(TextWriter output, string path, string data)
    {
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, path, new ModelLoadOptions { Arithmetic = Arithmetic.Fast });
        await using var engine = new InferenceEngine(model, new EngineOptions { PrefixCache = false });
        using var trainer = new Trainer(model.In(Arithmetic.Exact), new TrainerOptions { IsBackground = true });
        await MeasureAsync(engine, model, Requests / 4);
        double[] idle = await MeasureAsync(engine, model, Requests);

        using var stop = new CancellationTokenSource();
        string folder = Directory.CreateTempSubdirectory("loraserve-").FullName;
        var options = new TrainingJobOptions { DataFile = data, Rank = 8, Steps = 100_000, BatchRows = 16 };
        var begun = new TaskCompletionSource();
        int steps = 0;
        Task<TrainingOutcome> run = trainer.RunAsync(options, folder, _ => { steps++; begun.TrySetResult(); }, stop.Token);
        await Task.WhenAny(begun.Task, run);
        int before = steps;
        long start = Stopwatch.GetTimestamp();
        double[] busy = await MeasureAsync(engine, model, Requests);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await stop.CancelAsync();
        await Task.WhenAny(run);
        Directory.Delete(folder, recursive: true);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"first token of {PromptTokens} prompt tokens, {Requests} requests"));
        Write(output, "trainer idle", idle);
        Write(output, "trainer busy", busy);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"ratio: median {Median(busy) / Median(idle):0.00}, 90th of 100 {Percentile(busy) / Percentile(idle):0.00}; {(steps - before) / seconds:0.00} training steps/s meanwhile"));
    }

    private static async Task<double[]> MeasureAsync(InferenceEngine engine, LoadedModel model, int count)
    {
        var random = new Random(1);
        double[] seconds = new double[count];
        for (int i = 0; i < count; i++)
        {
            var request = new GenerationRequest
            {
                PromptTokens = [.. Enumerable.Range(0, PromptTokens).Select(_ => random.Next(model.Transformer.VocabularySize))],
                Sampling = new SamplingOptions { MaxTokens = 1, IgnoreEndToken = true },
            };
            long start = Stopwatch.GetTimestamp();
            await foreach (GeneratedToken _ in await engine.GenerateAsync(request))
            {
                seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
                break;
            }

            await Task.Delay(s_pause);
        }

        return seconds;
    }

    private static void Write(TextWriter output, string name, double[] seconds) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: median {Median(seconds) * 1000:0.0} ms, 90th of 100 {Percentile(seconds) * 1000:0.0} ms"));

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    private static double Percentile(double[] values) => values.Order().ElementAt(values.Length * 9 / 10);
}

using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Training;
using LoraServe.Training.Methods;
using LoraServe.Training.Options;

namespace LoraServe.Studio.Benchmarks;

/// <summary>Measures how fast a method trains: on dense rows of one length, every token labelled, or on rows of a data set.</summary>
public sealed class TrainingBenchmark(LoadedModel model, WorkerPool pool, BenchmarkMachine machine)
{
    private const int Seed = 1;

    /// <summary>Rows of random tokens, all labelled.</summary>
    public static IReadOnlyList<IReadOnlyList<TrainingExample>> Dense(int rows, int length, int vocabularySize)
    {
        var random = new Random(Seed);
        return [[.. Enumerable.Range(0, rows).Select(_ => Example())]];

        TrainingExample Example()
        {
            int[] tokens = [.. Enumerable.Range(0, length).Select(_ => random.Next(vocabularySize))];
            return new TrainingExample(tokens, tokens);
        }
    }

    /// <summary>Trains some steps.</summary>
    /// <param name="options">Method, rank and targets.</param>
    /// <param name="data">What the examples are called.</param>
    /// <param name="batches">The steps' examples, one after another and from the beginning again.</param>
    /// <param name="repetitions">Steps that are timed.</param>
    /// <param name="adapters">Adapters that train side by side and share the examples out among them.</param>
    public TrainingBenchmarkResult Run(TrainingJobOptions options, string data, IReadOnlyList<IReadOnlyList<TrainingExample>> batches, int repetitions, int adapters = 1)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(batches);
        TrainingSpeed speed = TrainingSpeed.Measure(model, options, batches, repetitions, pool, adapters);
        int passes = MethodCatalog.Find(options.Method).Any(method => method.MakesModel) ? 3 : 2;
        double[] shares = [.. speed.StepSeconds.Select((seconds, step) => LeastSeconds(batches[(step + 1) % batches.Count], passes) / seconds)];
        IReadOnlyList<TrainingExample>[] timed = [.. Enumerable.Range(1, repetitions).Select(step => batches[step % batches.Count])];
        double total = speed.StepSeconds.Sum();
        return new TrainingBenchmarkResult
        {
            Model = model.Name,
            Method = options.Method,
            Data = data,
            BatchRows = batches[0].Count,
            Adapters = adapters,
            TokensPerS = timed.Sum(batch => batch.Sum(example => (double)example.Tokens.Length)) / total,
            RowsPerS = timed.Sum(batch => (double)batch.Count) / total,
            RatioToFloatPeak = shares.Max(),
            MedianRatioToFloatPeak = shares.Order().ElementAt(shares.Length / 2),
            PeakMemoryBytes = speed.PeakMemoryBytes,
            BaseBytes = model.Transformer.ByteLength,
            Machine = machine,
        };
    }

    /// <summary>
    /// Shortest possible seconds of a step: the forward pass, as much again for the derivatives by activations and, where the base's
    /// weights are trained, for those by weights; the head on labelled tokens only.
    /// </summary>
    private double LeastSeconds(IReadOnlyList<TrainingExample> batch, int passes)
    {
        int tokens = batch.Sum(example => example.Tokens.Length);
        int labelled = batch.Sum(example => example.Labels.Skip(1).Count(label => label != TrainingExample.NoLabel));
        double meanLength = batch.Sum(example => (double)example.Tokens.Length * example.Tokens.Length) / tokens / 2;
        return passes * new WorkLimits(machine, model.Transformer).ComputeSeconds(tokens, labelled, meanLength);
    }
}

using System.Diagnostics;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Compute;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Training.Data;
using LoraServe.Training.Methods;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Options;
using LoraServe.Training.Runs;
using LoraServe.Training.Steps;

namespace LoraServe.Training;

/// <summary>How long steps of training take, for benchmarks.</summary>
/// <param name="StepSeconds">Each step's time: batches forth and back, and the update.</param>
/// <param name="PeakMemoryBytes">The most memory that the process has had.</param>
public sealed record TrainingSpeed(IReadOnlyList<double> StepSeconds, long PeakMemoryBytes)
{
    /// <summary>A job's first batches.</summary>
    /// <exception cref="TrainingDataException">The data is wrong.</exception>
    public static IReadOnlyList<IReadOnlyList<TrainingExample>> Batches(TrainingJobOptions options, LoadedModel model, int count)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(model);
        using var data = new RunData(options, model);
        return [.. Enumerable.Range(0, count).Select(_ => data.NextExamples())];
    }

    /// <summary>Runs steps, after one to warm up.</summary>
    /// <param name="model">The base; it is trained on in exact arithmetic.</param>
    /// <param name="options">Method, rank, targets and whether activations are kept; the rest is not looked at.</param>
    /// <param name="batches">The steps' examples, one after another and from the beginning again.</param>
    /// <param name="repetitions">Steps that are timed.</param>
    /// <param name="pool">The workers.</param>
    /// <param name="adapters">Adapters that train side by side: each has its share of each step's examples, of which there are at least as many.</param>
    /// <exception cref="TrainingOptionsException">A setting does not fit the model.</exception>
    public static TrainingSpeed Measure(
        LoadedModel model, TrainingJobOptions options, IReadOnlyList<IReadOnlyList<TrainingExample>> batches, int repetitions, WorkerPool pool, int adapters = 1)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(batches);
        ArgumentOutOfRangeException.ThrowIfZero(batches.Count);
        AdapterTraining[] trainings = [.. Enumerable.Range(0, adapters).Select(_ => Begin(model.Transformer, options, repetitions + 1))];
        var seconds = new List<double>();
        try
        {
            using ITrainingPass pass = model.Transformer.ComputingIn(Arithmetic.Exact).CreateTraining(pool);
            for (int step = 0; step <= repetitions; step++)
            {
                TrainingExample[] batch = [.. batches[step % batches.Count]];
                TrainingExample[][] parts = [.. Enumerable.Range(0, adapters).Select(i => batch[(batch.Length * i / adapters)..(batch.Length * (i + 1) / adapters)])];
                long start = Stopwatch.GetTimestamp();
                Step(trainings, parts, pass, options.CheckpointActivations, pool);
                if (step > 0)
                {
                    seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                }
            }
        }
        finally
        {
            Array.ForEach(trainings, training => training.Dispose());
        }

        using var process = Process.GetCurrentProcess();
        return new TrainingSpeed(seconds, process.PeakWorkingSet64);
    }

    private static AdapterTraining Begin(Transformer model, TrainingJobOptions options, int steps)
    {
        TrainableAdapter adapter = MethodCatalog.Create(options, new TrainableContext(model) { TotalSteps = steps });
        var rate = new LearningRate(LearningRateSchedule.Constant, MethodCatalog.LearningRate(options));
        return new AdapterTraining(adapter, model, new Optimizer(new OptimizerOptions()), rate, maximumNorm: 1);
    }

    private static void Step(AdapterTraining[] trainings, TrainingExample[][] parts, ITrainingPass pass, bool checkpointActivations, WorkerPool pool)
    {
        for (int i = 0; i < trainings.Length; i++)
        {
            trainings[i].BeginStep(LabelledTokens.Count(parts[i], trainings[i].Resident));
        }

        pass.Run([.. trainings.Zip(parts, (training, part) => training.Share(part))], checkpointActivations);
        foreach (AdapterTraining training in trainings)
        {
            training.EndStep(pool);
        }
    }
}

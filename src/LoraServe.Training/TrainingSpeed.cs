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
    /// <exception cref="TrainingOptionsException">A setting does not fit the model.</exception>
    public static TrainingSpeed Measure(LoadedModel model, TrainingJobOptions options, IReadOnlyList<IReadOnlyList<TrainingExample>> batches, int repetitions, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(batches);
        ArgumentOutOfRangeException.ThrowIfZero(batches.Count);
        TrainableAdapter adapter = MethodCatalog.Create(options, new TrainableContext(model.Transformer) { TotalSteps = repetitions + 1 });
        var rate = new LearningRate(LearningRateSchedule.Constant, MethodCatalog.LearningRate(options));
        using var training = new AdapterTraining(adapter, model.Transformer, new Optimizer(new OptimizerOptions()), rate, maximumNorm: 1);
        using ITrainingPass pass = model.Transformer.ComputingIn(Arithmetic.Exact).CreateTraining(pool);
        var seconds = new List<double>();
        for (int step = 0; step <= repetitions; step++)
        {
            IReadOnlyList<TrainingExample> batch = batches[step % batches.Count];
            long start = Stopwatch.GetTimestamp();
            training.BeginStep(LabelledTokens.Count(batch, training.Resident));
            pass.Run([training.Share(batch)], options.CheckpointActivations);
            training.EndStep(pool);
            if (step > 0)
            {
                seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        using var process = Process.GetCurrentProcess();
        return new TrainingSpeed(seconds, process.PeakWorkingSet64);
    }
}

using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;
using LoraServe.Testing;
using LoraServe.Training.Methods;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Options;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Tests.Methods;

/// <summary>A small random model with a small task: rows whose last tokens are to be learned.</summary>
internal sealed class TinyTraining : IDisposable
{
    private const int Rank = 4;
    private const int VirtualTokens = 3;
    private const int Steps = 12;
    private readonly WorkerPool _pool = new(2);

    public TinyTraining(bool tiedHead = false, TransformerSpec? spec = null)
    {
        Model = TinyModel.Create(7, spec: (spec ?? TinyModel.DefaultSpec) with { TiedHead = tiedHead });
        Pass = Model.CreateTraining(_pool);
    }

    /// <summary>Every method of the catalogue, and some together.</summary>
    public static string[] Methods { get; } = [.. MethodTable.Variants.Select(method => method.Name), "lora,prompt", "houlsby,lora", "prompt,pfeiffer", "ia3,prefix", "adaption-prompt,lora"];

    public Transformer Model { get; }

    public ITrainingPass Pass { get; }

    public static int[] Probe { get; } = TinyModel.Tokens(5, 17, TinyModel.DefaultSpec.VocabularySize);

    public static TrainingExample[] Rows(int seed, int count = 3)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            int[] tokens = TinyModel.Tokens(random.Next(), random.Next(4, 12), TinyModel.DefaultSpec.VocabularySize);
            return new TrainingExample(tokens, [.. tokens.Select((token, t) => t < 2 ? TrainingExample.NoLabel : token)]);
        })];
    }

    public static TrainingJobOptions Options(string method, int seed = 1) =>
        new() { Method = method, Rank = Rank, VirtualTokens = VirtualTokens, Seed = seed, DataFile = "rows.jsonl" };

    public TrainableAdapter Create(TrainingJobOptions options) =>
        MethodCatalog.Create(options, new TrainableContext(Model) { BaseName = "tiny", TotalSteps = Steps });

    public TrainableAdapter Create(string method, int seed = 1) => Create(Options(method, seed));

    public AdapterTraining Train(TrainableAdapter adapter, double rate = 1e-2, double weightDecay = 0.01) => new(
        adapter,
        Model,
        new Optimizer(new OptimizerOptions { WeightDecay = weightDecay }),
        new LearningRate(LearningRateSchedule.Constant, rate, 0, Steps));

    /// <summary>One step.</summary>
    public StepResult Step(AdapterTraining training, TrainingExample[] rows)
    {
        training.BeginStep(LabelledTokens.Count(rows, training.Resident));
        Pass.Run([training.Share(rows)]);
        return training.EndStep();
    }

    /// <summary>Gradients of the loss, which is returned, without an update.</summary>
    public double Gradients(AdapterTraining training, TrainingExample[] rows)
    {
        training.Dispose();
        int count = LabelledTokens.Count(rows, training.Resident);
        training.BeginStep(count);
        BatchShare share = training.Share(rows);
        Pass.Run([share]);
        return (share.Losses.Sum(loss => (double)loss) / count) + training.PullGradients();
    }

    public float[] Logits(params ResidentAdapter[] adapters)
    {
        using var sequence = new SingleSequence(Model, _pool, Probe.Length, adapters);
        sequence.Begin(Probe);
        Rows logits = sequence.Advance(Probe, SegmentOutput.AllLogits);
        return [.. Enumerable.Range(0, logits.Count).SelectMany(row => logits.Span(row).ToArray())];
    }

    public void Dispose()
    {
        Pass.Dispose();
        _pool.Dispose();
        Model.Dispose();
    }
}

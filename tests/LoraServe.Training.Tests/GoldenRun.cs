using System.Text.Json.Nodes;
using LoraServe.Compute.Files;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Training.Autograd;
using LoraServe.Training.Data;
using LoraServe.Training.Methods;
using LoraServe.Training.Optimizers;

namespace LoraServe.Training.Tests;

/// <summary>A case of fixtures/training: base, data, initial adapter, optimizer, and what the reference made of them.</summary>
internal sealed class GoldenRun : IDisposable
{
    private readonly string _folder;
    private readonly SafetensorsFile _expected;

    public GoldenRun(string folder)
    {
        _folder = folder;
        Case = Read(Path.Combine(folder, "case.json"));
        _expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        Model = ModelLoader.Load(Path.Combine(folder, "..", Case["base"]!.GetValue<string>()), new ModelLoadOptions { Arithmetic = Compute.Arithmetic.Exact });
    }

    public JsonObject Case { get; }

    public LoadedModel Model { get; }

    public int Steps => Case["steps"]!.GetValue<int>();

    public TrainingExample[][] Batches() =>
        [.. Read(Path.Combine(_folder, "..", Case["data"]!.GetValue<string>()))["batches"]!.AsArray().Select(batch =>
            batch!.AsArray().Select(row => new TrainingExample(Ints(row!["tokens"]!), Ints(row["labels"]!))).ToArray())];

    public JsonObject Config(string folder = "initial") => Read(Path.Combine(_folder, folder, "adapter_config.json"));

    public void SetInitial(TrainableAdapter adapter)
    {
        using SafetensorsFile initial = SafetensorsFile.Open(Path.Combine(_folder, "initial.safetensors"));
        foreach (Parameter parameter in adapter.Parameters)
        {
            Assert.True(initial.Tensors.ContainsKey(parameter.Name), $"{parameter.Name} is not among {string.Join(", ", initial.Tensors.Keys)}");
            Assert.Equal(initial.Tensors[parameter.Name].Shape.Select(length => (int)length), parameter.Shape);
            initial.Tensors[parameter.Name].ToFloats().CopyTo(parameter.Values, 0);
        }

        Assert.Equal(initial.Tensors.Keys.Order(StringComparer.Ordinal), adapter.Parameters.Select(parameter => parameter.Name).Order(StringComparer.Ordinal));
    }

    public float[] Expected(string name) => _expected.Tensors[name].ToFloats();

    public bool Has(string name) => _expected.Tensors.ContainsKey(name);

    public AdapterTraining Training(TrainableAdapter adapter)
    {
        JsonObject optimizer = Case["optimizer"]!.AsObject();
        JsonObject schedule = Case["schedule"]!.AsObject();
        var options = new OptimizerOptions
        {
            Kind = optimizer["name"]!.GetValue<string>() switch
            {
                "sgd" => OptimizerKind.Sgd,
                "lion" => OptimizerKind.Lion,
                "adafactor" => OptimizerKind.Adafactor,
                _ => OptimizerKind.AdamW,
            },
            Beta1 = optimizer["betas"]?[0]?.GetValue<double>(),
            Beta2 = optimizer["betas"]?[1]?.GetValue<double>(),
            Epsilon = optimizer["name"]!.GetValue<string>() == "adafactor" ? null : optimizer["eps"]?.GetValue<double>(),
            WeightDecay = optimizer["weight_decay"]?.GetValue<double>() ?? 0,
            Momentum = optimizer["momentum"]?.GetValue<double>() ?? 0,
        };
        var rate = new LearningRate(
            schedule["name"]!.GetValue<string>() switch { "cosine" => LearningRateSchedule.Cosine, "linear" => LearningRateSchedule.Linear, _ => LearningRateSchedule.Constant },
            optimizer["lr"]!.GetValue<double>(),
            schedule["warmup_steps"]?.GetValue<int>() ?? 0,
            schedule["total_steps"]?.GetValue<int>() ?? Steps);
        return new AdapterTraining(
            adapter,
            Model.Transformer,
            new Optimizer(options),
            rate,
            Case["max_grad_norm"]?.GetValue<double>() ?? double.PositiveInfinity,
            Case["label_smoothing"]?.GetValue<float>() ?? 0);
    }

    /// <summary>Runs all steps and compares losses, first gradients, and values after the first and the last step.</summary>
    public void Check(AdapterTraining training, bool checkpointsActivations)
    {
        using var pool = new WorkerPool(2);
        using var pass = new TrainingPass(Model.Transformer, pool, checkpointsActivations);
        TrainingExample[][] batches = Batches();
        float[] losses = new float[Steps];
        float[] norms = new float[Steps];
        for (int step = 0; step < Steps; step++)
        {
            TrainingExample[] batch = batches[step % batches.Length];
            training.BeginStep(LabelledTokens.Count(batch, training.Resident));
            foreach (TrainingExample[] part in Case["micro_batches"] is null ? [batch] : new[] { batch[..2], batch[2..] })
            {
                pass.Run([training.Share(part)]);
            }

            StepResult result = training.EndStep();
            (losses[step], norms[step]) = ((float)result.Loss, (float)result.GradientNorm);
            if (step == 0)
            {
                AssertClose("losses", [Expected("losses")[0]], [losses[0]]);
                AssertParameters("after1", training, parameter => parameter.Values);
            }
        }

        AssertClose("losses", Expected("losses"), losses);
        AssertClose("grad_norms", Expected("grad_norms"), norms);
        AssertParameters("after20", training, parameter => parameter.Values);
    }

    public void CheckFirstGradient(AdapterTraining training, bool checkpointsActivations)
    {
        using var pool = new WorkerPool(2);
        using var pass = new TrainingPass(Model.Transformer, pool, checkpointsActivations);
        TrainingExample[] batch = Batches()[0];
        training.BeginStep(LabelledTokens.Count(batch, training.Resident));
        pass.Run([training.Share(batch)]);
        training.PullGradients();
        AssertParameters("grad", training, parameter => parameter.Gradient);
    }

    public void Dispose()
    {
        _expected.Dispose();
        Model.Dispose();
    }

    private void AssertParameters(string prefix, AdapterTraining training, Func<Parameter, float[]> values)
    {
        foreach (Parameter parameter in training.Adapter.Parameters)
        {
            AssertClose($"{prefix}.{parameter.Name}", Expected($"{prefix}.{parameter.Name}"), values(parameter));
        }
    }

    /// <summary>Equal within 1e-3 of the largest value.</summary>
    private static void AssertClose(string what, float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        float scale = expected.Max(MathF.Abs);
        float worst = expected.Zip(actual, (a, b) => MathF.Abs(a - b)).Max();
        Assert.True(worst <= 1e-3f * scale, $"{what}: off by {worst} of {scale}; expected {string.Join(" ", expected.Take(6))} …, got {string.Join(" ", actual.Take(6))} …");
    }

    private static JsonObject Read(string path) => JsonNode.Parse(File.ReadAllText(path))!.AsObject();

    private static int[] Ints(JsonNode array) => [.. array.AsArray().Select(value => value!.GetValue<int>())];
}

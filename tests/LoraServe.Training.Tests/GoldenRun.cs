using System.Text.Json.Nodes;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Full;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Training.Data;
using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Tests;

/// <summary>A case of fixtures/training: base, data, initial adapter, optimizer, and what the reference made of them.</summary>
internal sealed class GoldenRun : IDisposable
{
    private readonly string _folder;
    private readonly SafetensorsFile _expected;
    private readonly string _base;

    public GoldenRun(string folder, IDevice? device = null)
    {
        _folder = folder;
        Case = Read(Path.Combine(folder, "case.json"));
        _expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        _base = Path.Combine(folder, "..", Case["base"]!.GetValue<string>());
        Model = ModelLoader.Load(device ?? CpuDevice.Instance, _base, new ModelLoadOptions { Arithmetic = Compute.Arithmetic.Exact, RoundsToNf4 = Case["quantised"] is not null });
    }

    public JsonObject Case { get; }

    public LoadedModel Model { get; }

    public int Steps => Case["steps"]!.GetValue<int>();

    private LossKind Loss => Case["method"]!.GetValue<string>() switch { "dpo" => LossKind.Dpo, "orpo" => LossKind.Orpo, "kto" => LossKind.Kto, _ => LossKind.Supervised };

    private JsonArray Data => Read(Path.Combine(_folder, "..", Case["data"]!.GetValue<string>()))["batches"]!.AsArray();

    public TrainingExample[][] Batches() => BatchesOf(Data);

    public PreferenceExample[][] Pairs() =>
        [.. Data.Select(batch => batch!.AsArray().Select(row => new PreferenceExample(Answer(row!, "chosen"), Answer(row!, "rejected"))).ToArray())];

    /// <summary>What the run trains, at its start; null where it cannot be trained.</summary>
    public TrainableAdapter? Adapter()
    {
        string[] folders = Case["adapter"] switch
        {
            JsonArray several => [.. several.Select(name => name!.GetValue<string>())],
            { } name => [name.GetValue<string>()],
            null => [],
        };
        JsonObject[] configs = [.. folders.Select(folder => Read(Path.Combine(_folder, folder, "adapter_config.json")))];
        if (configs.Any(config => config["peft_type"] is { } type && !MethodTable.TrainableTypes.Contains(type.GetValue<string>())))
        {
            return null;
        }

        var options = new TrainableOptions { RateRatioOfB = Case["optimizer"]!["ratio"]?.GetValue<float>() ?? 1 };
        TrainableAdapter[] parts = [.. configs.Select(config => MethodTable.Create(config, Model.Transformer, options))];
        TrainableAdapter adapter = parts.Length switch
        {
            0 => new TrainableWeights(Model.Transformer),
            1 => parts[0],
            _ => new CombinedAdapter(Model.Transformer, [.. folders.Zip(parts)]),
        };
        SetInitial(adapter);
        return adapter;
    }

    private void SetInitial(TrainableAdapter adapter)
    {
        string path = Path.Combine(_folder, "initial.safetensors");
        using SafetensorsFile initial = SafetensorsFile.Open(File.Exists(path) ? path : Path.Combine(_base, "model.safetensors"));
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
            Case["label_smoothing"]?.GetValue<float>() ?? 0,
            Loss,
            Case["beta"]?.GetValue<double>() ?? 0);
    }

    /// <summary>Runs all steps and compares losses, first gradients, and values after the first and the last step.</summary>
    public void Check(AdapterTraining training, bool checkpointsActivations, Action<int>? afterStep = null)
    {
        using var pool = new WorkerPool(2);
        using var pass = Model.Transformer.CreateTraining(pool);
        float[] losses = new float[Steps];
        float[] norms = new float[Steps];
        for (int step = 0; step < Steps; step++)
        {
            RunBatch(training, pass, step, checkpointsActivations);
            StepResult result = training.EndStep();
            afterStep?.Invoke(step);
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
        foreach (Parameter saved in training.Adapter.Saved().Where(saved => Has($"final.{saved.Name}")))
        {
            AssertClose($"final.{saved.Name}", Expected($"final.{saved.Name}"), saved.Values);
        }
    }

    /// <summary>Compares what would be saved at the start with the reference's files. PEFT saves the base's own table or head beside a pair there too.</summary>
    public void CheckSaved(TrainableAdapter adapter)
    {
        var expected = new Dictionary<string, Tensor>();
        SafetensorsFile[] files =
        [
            .. Directory.GetDirectories(_folder, "initial*").SelectMany(folder => Directory.GetFiles(folder, "*.safetensors")).Select(SafetensorsFile.Open),
        ];
        foreach (Tensor tensor in files.SelectMany(file => file.Tensors.Values).Where(tensor => !tensor.Name.EndsWith("base_layer.weight", StringComparison.Ordinal)))
        {
            expected.Add(tensor.Name, tensor);
        }

        Parameter[] saved = [.. adapter.Saved()];
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), saved.Select(parameter => parameter.Name).Order(StringComparer.Ordinal));
        foreach (Parameter parameter in saved)
        {
            Assert.Equal(expected[parameter.Name].Shape.Select(length => (int)length), parameter.Shape);
            AssertClose(parameter.Name, expected[parameter.Name].ToFloats(), parameter.Values);
        }

        Array.ForEach(files, file => file.Dispose());
    }

    /// <summary>Trains several adapters in one pass each step; each gives the reference's values, and the bits of its run alone.</summary>
    public void CheckSeveral()
    {
        string[] names = [.. Case["adapters"]!.AsObject().Select(entry => entry.Key)];
        AdapterTraining[] together = [.. names.Select(Training)];
        RunSeveral(names, together);
        for (int i = 0; i < names.Length; i++)
        {
            AssertParameters($"{names[i]}.after20", together[i], parameter => parameter.Values);
            AdapterTraining alone = Training(names[i]);
            RunSeveral([names[i]], [alone], firstBatch: i);
            Assert.Equal(alone.Adapter.Parameters.SelectMany(parameter => parameter.Values), together[i].Adapter.Parameters.SelectMany(parameter => parameter.Values));
        }
    }

    private void RunSeveral(string[] names, AdapterTraining[] trainings, int firstBatch = 0)
    {
        using var pool = new WorkerPool(2);
        using var pass = Model.Transformer.CreateTraining(pool);
        TrainingExample[][] batches = Batches();
        for (int step = 0; step < Steps; step++)
        {
            TrainingExample[][] taken = [.. names.Select((_, i) => batches[(step + i + firstBatch) % batches.Length])];
            for (int i = 0; i < names.Length; i++)
            {
                trainings[i].BeginStep(LabelledTokens.Count(taken[i], trainings[i].Resident));
            }

            pass.Run([.. trainings.Zip(taken, (training, batch) => training.Share(batch))]);
            for (int i = 0; i < names.Length; i++)
            {
                float expected = Expected($"{names[i]}.losses")[step];
                Assert.Equal(expected, (float)trainings[i].EndStep().Loss, 1e-3f * expected);
            }
        }
    }

    private AdapterTraining Training(string name)
    {
        string folder = Path.Combine(_folder, Case["adapters"]![name]!.GetValue<string>());
        TrainableAdapter adapter = MethodTable.Create(Read(Path.Combine(folder, "adapter_config.json")), Model.Transformer, new TrainableOptions());
        adapter.Load(folder);
        var rate = new LearningRate(LearningRateSchedule.Constant, Case["lrs"]![name]!.GetValue<double>(), 0, Steps);
        return new AdapterTraining(adapter, Model.Transformer, new Optimizer(new OptimizerOptions { WeightDecay = Case["optimizer"]!["weight_decay"]!.GetValue<double>() }), rate);
    }

    public void CheckFirstGradient(AdapterTraining training, bool checkpointsActivations)
    {
        using var pool = new WorkerPool(2);
        using var pass = Model.Transformer.CreateTraining(pool);
        RunBatch(training, pass, step: 0, checkpointsActivations);
        training.PullGradients();
        AssertParameters("grad", training, parameter => parameter.Gradient);
    }

    public void Dispose()
    {
        _expected.Dispose();
        Model.Dispose();
    }

    private void RunBatch(AdapterTraining training, ITrainingPass pass, int step, bool checkpointsActivations)
    {
        if (Loss == LossKind.Supervised)
        {
            TrainingExample[][] batches = Batches();
            TrainingExample[] batch = batches[step % batches.Length];
            training.BeginStep(LabelledTokens.Count(batch, training.Resident));
            foreach (TrainingExample[] part in Case["micro_batches"] is null ? [batch] : new[] { batch[..2], batch[2..] })
            {
                pass.Run([training.Share(part)], checkpointsActivations);
            }

            return;
        }

        PreferenceExample[][] pairs = Pairs();
        training.BeginStep(pairs[step % pairs.Length]);
        PreferenceBatch preferences = training.Preferences(pairs[step % pairs.Length]);
        if (preferences.References.Count > 0)
        {
            pass.Run(preferences.References);
        }

        pass.Run([training.Share(preferences)], checkpointsActivations);
    }

    private static TrainingExample[][] BatchesOf(JsonArray batches) =>
        [.. batches.Select(batch => batch!.AsArray().Select(row => new TrainingExample(Ints(row!["tokens"]!), Ints(row["labels"]!))).ToArray())];

    private static TrainingExample Answer(JsonNode row, string which)
    {
        (int[] prompt, int[] answer) = (Ints(row["prompt"]!), Ints(row[which]!));
        return new TrainingExample([.. prompt, .. answer], [.. prompt.Select(_ => TrainingExample.NoLabel), .. answer]);
    }

    private void AssertParameters(string prefix, AdapterTraining training, Func<Parameter, float[]> values)
    {
        foreach (Parameter parameter in training.Adapter.Parameters)
        {
            AssertClose($"{prefix}.{parameter.Name}", Expected($"{prefix}.{parameter.Name}"), values(parameter));
        }
    }

    /// <summary>Equal within 1e-3 of the largest value.</summary>
    public static void AssertClose(string what, float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        float scale = expected.Max(MathF.Abs);
        float worst = expected.Zip(actual, (a, b) => MathF.Abs(a - b)).Max();
        Assert.True(worst <= 1e-3f * scale, $"{what}: off by {worst} of {scale}; expected {string.Join(" ", expected.Take(6))} …, got {string.Join(" ", actual.Take(6))} …");
    }

    private static JsonObject Read(string path) => JsonNode.Parse(File.ReadAllText(path))!.AsObject();

    private static int[] Ints(JsonNode array) => [.. array.AsArray().Select(value => value!.GetValue<int>())];
}

using System.Text.Json;
using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;
using LoraServe.Training.Optimizers;

namespace LoraServe.Training.Tests.Optimizers;

/// <summary>The optimizer, start, first gradient and first update of a folder of <c>fixtures/training</c>.</summary>
internal sealed class TrainingCase
{
    private TrainingCase(string name)
    {
        string folder = SharedFiles.Require($"fixtures/training/{name}");
        Document = JsonElement.Parse(File.ReadAllText(Path.Combine(folder, "case.json")));
        Expected = Read(Path.Combine(folder, "expected.safetensors"));
        Start = Document.TryGetProperty("initial", out JsonElement checkpoint)
            ? Read(SharedFiles.Require($"fixtures/training/{checkpoint.GetString()}/model.safetensors"))
            : Read(Path.Combine(folder, "initial.safetensors"));
    }

    public JsonElement Document { get; }

    public JsonElement Optimizer => Document.GetProperty("optimizer");

    public IReadOnlyDictionary<string, Tensor> Expected { get; }

    public IReadOnlyDictionary<string, Tensor> Start { get; }

    /// <summary>Highest rate, and what it does.</summary>
    public LearningRate LearningRate
    {
        get
        {
            JsonElement schedule = Document.GetProperty("schedule");
            return new LearningRate(
                Enum.Parse<LearningRateSchedule>(schedule.GetProperty("name").GetString()!, ignoreCase: true),
                Optimizer.GetProperty("lr").GetDouble(),
                schedule.TryGetProperty("warmup_steps", out JsonElement warmup) ? warmup.GetInt32() : 0,
                schedule.TryGetProperty("total_steps", out JsonElement total) ? total.GetInt32() : 0);
        }
    }

    public double MaximumNorm => Document.GetProperty("max_grad_norm") is { ValueKind: JsonValueKind.Number } norm ? norm.GetDouble() : double.PositiveInfinity;

    public OptimizerOptions Options
    {
        get
        {
            string kind = Optimizer.GetProperty("name").GetString()!;
            double[] betas = Optimizer.TryGetProperty("betas", out JsonElement pair) ? [.. pair.EnumerateArray().Select(beta => beta.GetDouble())] : [];
            return new OptimizerOptions
            {
                Kind = kind == "loraplus" ? OptimizerKind.AdamW : Enum.Parse<OptimizerKind>(kind, ignoreCase: true),
                Beta1 = betas is [var beta1, _] ? beta1 : null,
                Beta2 = betas is [_, var beta2] ? beta2 : null,
                Epsilon = Optimizer.TryGetProperty("eps", out JsonElement epsilon) ? (epsilon.ValueKind == JsonValueKind.Array ? epsilon[0] : epsilon).GetDouble() : null,
                WeightDecay = Optimizer.GetProperty("weight_decay").GetDouble(),
                Momentum = Optimizer.TryGetProperty("momentum", out JsonElement momentum) ? momentum.GetDouble() : 0,
            };
        }
    }

    /// <summary>What is trained, at its start, with the gradient of step 0.</summary>
    public List<Parameter> Parameters
    {
        get
        {
            double ratio = Optimizer.TryGetProperty("ratio", out JsonElement value) ? value.GetDouble() : 1;
            bool sparesVectors = Optimizer.TryGetProperty("no_decay", out _);
            var parameters = new List<Parameter>();
            foreach ((string key, Tensor gradient) in Expected.Where(entry => entry.Key.StartsWith("grad.", StringComparison.Ordinal)))
            {
                string name = key["grad.".Length..];
                Tensor start = Start[name];
                var parameter = new Parameter(name, [.. start.Shape.Select(length => (int)length)], start.ToFloats())
                {
                    RateFactor = name.Contains("lora_B", StringComparison.Ordinal) ? (float)ratio : 1,
                    Decays = !sparesVectors || start.Shape.Length > 1,
                };
                gradient.ToFloats().CopyTo(parameter.Gradient, 0);
                parameters.Add(parameter);
            }

            return parameters;
        }
    }

    public static TrainingCase Load(string name) => new(name);

    /// <summary>The folders that have one run, one optimizer and every tensor's start.</summary>
    public static TheoryData<string> Names() => [.. SharedFiles.Cases(SharedFiles.FolderNames("fixtures/training").Where(IsOneRun))];

    private static bool IsOneRun(string name) =>
        SharedFiles.TryGet($"fixtures/training/{name}/case.json") is { } path
        && JsonElement.Parse(File.ReadAllText(path)) is var document
        && document.TryGetProperty("schedule", out JsonElement schedule) && schedule.ValueKind == JsonValueKind.Object
        && (document.TryGetProperty("initial", out _) || SharedFiles.TryGet($"fixtures/training/{name}/initial.safetensors") is not null);

    private static IReadOnlyDictionary<string, Tensor> Read(string path) => SafetensorsFile.Parse(File.ReadAllBytes(path), path).Tensors;
}

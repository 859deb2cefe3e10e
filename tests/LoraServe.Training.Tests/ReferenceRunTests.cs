using System.Text.Json.Nodes;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Compute;
using LoraServe.Compute.Files;
using LoraServe.Compute.Workers;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Testing;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Tests;

/// <summary>A run on the real model is followed step by step, from the same first values over the same tokens.</summary>
public sealed class ReferenceRunTests
{
    [SkippableFact]
    [Trait("Category", "Long")]
    public void Run_OnTheRealModel_GivesTheReferencesLossesAndWeights()
    {
        string folder = SharedFiles.Require("adapters/reference-run");
        string path = Directory.GetFiles(SharedFiles.Require("models"), "*.gguf")[0];
        JsonObject run = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "run.json")))!.AsObject();
        JsonObject settings = run["hyperparameters"]!.AsObject();
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, path, new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "initial", "adapter_config.json")))!.AsObject();
        TrainableAdapter adapter = MethodTable.Create(config, model.Transformer, new TrainableOptions());
        Load(adapter, Path.Combine(folder, "initial", "adapter_model.safetensors"));
        var rate = new LearningRate(
            LearningRateSchedule.Linear, settings["learning_rate"]!.GetValue<double>(), settings["warmup_steps"]!.GetValue<int>(), settings["total_steps"]!.GetValue<int>());
        using var training = new AdapterTraining(
            adapter, model.Transformer, new Optimizer(new OptimizerOptions()), rate, settings["max_grad_norm"]!.GetValue<double>());
        using var pool = new WorkerPool(2);
        using var pass = model.Transformer.CreateTraining(pool);

        foreach ((JsonNode? step, JsonNode? batch) in run["steps"]!.AsArray().Zip(run["batches"]!.AsArray()))
        {
            TrainingExample[] examples = Examples(batch!);
            training.BeginStep(LabelledTokens.Count(examples, training.Resident));
            pass.Run([training.Share(examples)]);
            StepResult result = training.EndStep();
            Assert.Equal(step!["labelled_tokens"]!.GetValue<int>(), result.LabelledTokens);
            Near(step["lr"]!.GetValue<double>(), result.LearningRate, 1e-9);
            Near(step["loss"]!.GetValue<double>(), result.Loss, 1e-3);
            Near(step["grad_norm_before_clip"]!.GetValue<double>(), result.GradientNorm, 1e-2);
        }

        using SafetensorsFile final = SafetensorsFile.Open(Path.Combine(folder, "final", "adapter_model.safetensors"));
        foreach (Parameter parameter in adapter.Parameters)
        {
            float[] expected = final.Tensors[parameter.Name].ToFloats();
            Near(expected, parameter.Values, 1e-5f);
        }
    }

    private static TrainingExample[] Examples(JsonNode batch)
    {
        int[] lengths = Ints(batch["lengths"]!);
        return [.. lengths.Select((length, row) => new TrainingExample(Ints(batch["input_ids"]![row]!)[..length], Ints(batch["labels"]![row]!)[..length]))];
    }

    private static void Load(TrainableAdapter adapter, string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        foreach (Parameter parameter in adapter.Parameters)
        {
            file.Tensors[parameter.Name].ToFloats().CopyTo(parameter.Values, 0);
        }
    }

    private static void Near(double expected, double actual, double share) => Assert.InRange(actual, expected - (share * Math.Abs(expected)) - 1e-12, expected + (share * Math.Abs(expected)) + 1e-12);

    private static void Near(float[] expected, float[] actual, float tolerance) =>
        Assert.InRange(expected.Zip(actual, (wanted, found) => Math.Abs(wanted - found)).Max(), 0, tolerance);

    private static int[] Ints(JsonNode array) => [.. array.AsArray().Select(value => value!.GetValue<int>())];
}

using LoraServe.Adapters.Methods.Full;
using LoraServe.Compute;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Testing;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Tests.Methods;

public sealed class TrainableWeightsTests
{
    public static TheoryData<string> Models => [.. Directory.GetDirectories(Repository.Fixture("models")).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Models))]
    public void Save_Trained_IsAModelOfTheSameBits(string name)
    {
        string folder = Directory.CreateTempSubdirectory("loraserve-").FullName;
        try
        {
            using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, Repository.Fixture($"models/{name}"), new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
            using var pool = new WorkerPool(2);
            using var pass = model.Transformer.CreateTraining(pool);
            var adapter = new TrainableWeights(model.Transformer);
            using var training = new AdapterTraining(adapter, model.Transformer, new Optimizer(new OptimizerOptions()), new LearningRate(LearningRateSchedule.Constant, 1e-2));
            int[] tokens = TinyModel.Tokens(3, 21, model.Transformer.VocabularySize);
            TrainingExample[] rows = [new(tokens, tokens)];
            for (int step = 0; step < 3; step++)
            {
                training.BeginStep(LabelledTokens.Count(rows, training.Resident));
                pass.Run([training.Share(rows)]);
                training.EndStep(pool);
            }

            adapter.Save(folder);
            ModelDirectoryWriter.Write(folder, model, model.Transformer.TiedHead);
            using LoadedModel saved = ModelLoader.Load(CpuDevice.Instance, folder, new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
            float[] trained = Logits(model.Transformer, pool, tokens, training.Resident);
            Assert.Equal(trained, Logits(saved.Transformer, pool, tokens));
            Assert.NotEqual(trained, Logits(model.Transformer, pool, tokens));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static float[] Logits(Transformer model, WorkerPool pool, int[] tokens, params ResidentAdapter[] adapters)
    {
        using var sequence = new SingleSequence(model, pool, tokens.Length, adapters);
        sequence.Begin(tokens);
        Rows logits = sequence.Advance(tokens, SegmentOutput.AllLogits);
        return [.. Enumerable.Range(0, logits.Count).SelectMany(row => logits.Span(row).ToArray())];
    }
}

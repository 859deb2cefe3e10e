using FsCheck;
using FsCheck.Fluent;
using LoraServe.Models.Backward;
using LoraServe.Training.Options;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Tests.Methods;

/// <summary>Adapters that are trained in one pass do not notice each other.</summary>
public sealed class TrainedTogetherTests
{
    private const int Steps = 2;

    /// <summary>A block's size has to divide the inputs, GraLoRA's number of blocks its rank.</summary>
    private static readonly int[] s_blockSizes = [2, 4, 8];

    [Fact]
    public void Run_AnyAdaptersInOnePass_GivesEachTheBitsOfItsOwnRun()
    {
        using var tiny = new TinyTraining();
        var one =
            from method in Gen.Elements(TinyTraining.Methods)
            from rank in method is "oft" or "boft" or "gralora" ? Gen.Elements(s_blockSizes) : Gen.Choose(1, 9)
            from seed in Gen.Choose(0, 1000)
            select TinyTraining.Options(method, seed) with { Rank = rank };
        Prop.ForAll(Gen.Choose(2, 4).SelectMany(count => one.ArrayOf(count)).ToArbitrary(), jobs => Check(tiny, jobs))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(24));
    }

    private static bool Check(TinyTraining tiny, TrainingJobOptions[] jobs)
    {
        float[][] together = Train(tiny, jobs);
        return jobs.Zip(together).All(entry => Train(tiny, [entry.First])[0].AsSpan().SequenceEqual(entry.Second));
    }

    private static float[][] Train(TinyTraining tiny, TrainingJobOptions[] jobs)
    {
        AdapterTraining[] trainings = [.. jobs.Select(job => tiny.Train(tiny.Create(job)))];
        for (int step = 0; step < Steps; step++)
        {
            TrainingExample[][] rows = [.. jobs.Select(job => TinyTraining.Rows(job.Seed + step, 1 + (job.Seed % 4)))];
            for (int i = 0; i < jobs.Length; i++)
            {
                trainings[i].BeginStep(LabelledTokens.Count(rows[i], trainings[i].Resident));
            }

            tiny.Pass.Run([.. trainings.Zip(rows, (training, part) => training.Share(part))]);
            Array.ForEach(trainings, training => training.EndStep());
        }

        return [.. trainings.Select(training => training.Adapter.Parameters.SelectMany(parameter => parameter.Values).ToArray())];
    }
}

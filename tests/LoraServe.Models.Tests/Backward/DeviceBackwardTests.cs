using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Workers;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Backward;

/// <summary>What every device owes: derivatives by edits at every place, against differences of the loss.</summary>
public sealed class DeviceBackwardTests
{
    private const float Step = 1e-2f;
    private const double Tolerance = 0.03;

    [Theory]
    [MemberData(nameof(DeviceCases.All), MemberType = typeof(DeviceCases))]
    public void Run_LowRankPairsAndNorms_GiveTheDifferencesDerivatives(string device, string shape)
    {
        using Transformer model = DeviceCases.Create(device, shape);
        using var pool = new WorkerPool(2);
        using ITrainingPass pass = model.CreateTraining(pool);
        AdapterEdit[] edits = [.. TinyModel.CreateAdapter(model, 1, 3, scaled: true).Edits.Where(edit => edit is LowRank or NormDelta)];
        TrainingExample[] examples = [.. Enumerable.Range(0, 3).Select(i => Example(i, model.VocabularySize))];
        var gradients = new EditGradients(edits, model, new Dictionary<Site, GradientMatrix>());
        var again = new EditGradients(edits, model, new Dictionary<Site, GradientMatrix>());
        double loss = Loss(model, pass, edits, examples, gradients);
        Assert.Equal(loss, Loss(model, pass, edits, examples, again, checkpointsActivations: true));
        foreach (AdapterEdit edit in edits)
        {
            Assert.All(Parts(edit, gradients).Zip(Parts(edit, again)), pair => Assert.Equal(pair.First.Gradient, pair.Second.Gradient));

            // Along its own derivative, where the difference is largest against what float32 loses.
            (float[] Values, float[] Gradient)[] parts = Parts(edit, gradients);
            double length = Math.Sqrt(parts.Sum(part => part.Gradient.Sum(value => (double)value * value)));
            float[][] directions = [.. parts.Select(part => Array.ConvertAll(part.Gradient, value => (float)(value / length)))];
            double difference = (Moved(Step) - Moved(-Step)) / (2 * Step);
            Assert.True(Math.Abs(difference - length) < Tolerance * length, $"{edit.GetType().Name} at {(edit as ModuleEdit)?.Site}{(edit as NormDelta)?.Site}: derivative {length}, difference {difference}");

            double Moved(float step)
            {
                Move(step);
                double moved = Loss(model, pass, edits, examples, null);
                Move(-step);
                return moved;
            }

            void Move(float step)
            {
                foreach ((float[] values, float[] direction) in parts.Zip(directions, (part, direction) => (part.Values, direction)))
                {
                    for (int i = 0; i < values.Length; i++)
                    {
                        values[i] += step * direction[i];
                    }
                }
            }
        }
    }

    private static (float[] Values, float[] Gradient)[] Parts(AdapterEdit edit, EditGradients gradients) => edit switch
    {
        NormDelta norm => [(norm.Values, gradients.At(norm.Site)!.Values)],
        LowRank { Site.Role: SiteRole.Embedding } pair =>
        [
            (pair.A.Values, Transposed(gradients.Embedding!.Codes!, 1)),
            (pair.B.Values, Transposed(gradients.Embedding!.Directions!, pair.Scale)),
        ],
        LowRank pair => [(pair.A.Values, gradients.At(pair.Site)!.A!.Values), (pair.B.Values, gradients.At(pair.Site)!.B!.Values)],
        _ => throw new NotSupportedException(edit.GetType().Name),
    };

    private static float[] Transposed(GradientMatrix matrix, float scale)
    {
        (int rows, int columns) = (matrix.Rows.Count, matrix.Rows.Width);
        return [.. Enumerable.Range(0, rows * columns).Select(i => scale * matrix.Values[(i % rows * columns) + (i / rows)])];
    }

    private static double Loss(Transformer model, ITrainingPass pass, AdapterEdit[] edits, TrainingExample[] examples, EditGradients? gradients, bool checkpointsActivations = false)
    {
        using ResidentAdapter adapter = model.Place(edits);
        int count = LabelledTokens.Count(examples, adapter);
        var share = new BatchShare { Adapter = adapter, Gradients = gradients, Examples = examples, UniformCoefficient = gradients is null ? null : 1f / count };
        pass.Run([share], checkpointsActivations);
        return share.Losses.Sum(loss => (double)loss) / count;
    }

    private static TrainingExample Example(int seed, int vocabulary)
    {
        int[] tokens = TinyModel.Tokens(seed, 7 + (9 * seed), vocabulary);
        return new TrainingExample(tokens, [.. tokens.Select((token, t) => t < 2 ? TrainingExample.NoLabel : token)]);
    }
}

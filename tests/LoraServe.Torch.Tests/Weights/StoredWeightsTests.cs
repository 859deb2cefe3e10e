using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Torch.Tests.Weights;

/// <summary>Weights that stay as the file has them compute what the widened ones do.</summary>
public sealed class StoredWeightsTests
{
    private const float Tolerance = 1e-5f;

    [SkippableTheory]
    [InlineData(ElementType.Q8_0, false)]
    [InlineData(ElementType.Q4_0, false)]
    [InlineData(ElementType.Q4_1, false)]
    [InlineData(ElementType.Q5_0, false)]
    [InlineData(ElementType.Q5_1, false)]
    [InlineData(ElementType.Q2_K, false)]
    [InlineData(ElementType.Q3_K, false)]
    [InlineData(ElementType.Q4_K, false)]
    [InlineData(ElementType.Q5_K, false)]
    [InlineData(ElementType.Q6_K, false)]
    [InlineData(ElementType.IQ4_NL, false)]
    [InlineData(ElementType.IQ4_XS, false)]
    [InlineData(ElementType.F32, true)]
    public void Forward_StoredWeights_GivesTheLogitsOfWidenedOnes(ElementType type, bool roundsToNf4)
    {
        using Transformer widened = Load(type, roundsToNf4, keepsStored: false);
        using Transformer stored = Load(type, roundsToNf4, keepsStored: true);
        Assert.InRange(OpenTorch.Difference(OpenTorch.Logits(widened), OpenTorch.Logits(stored)), 0, Tolerance);
        Assert.True(stored.ByteLength < 0.7 * widened.ByteLength, $"{stored.ByteLength} bytes stored, {widened.ByteLength} widened");
    }

    [SkippableTheory]
    [InlineData(ElementType.Q8_0, false)]
    [InlineData(ElementType.F32, true)]
    public void Backward_StoredWeights_GivesTheDerivativesOfWidenedOnes(ElementType type, bool roundsToNf4)
    {
        using Transformer widened = Load(type, roundsToNf4, keepsStored: false);
        using Transformer stored = Load(type, roundsToNf4, keepsStored: true);
        (float[] losses, float[] gradient) = Train(widened);
        (float[] ofStored, float[] gradientOfStored) = Train(stored);
        Assert.All(losses.Zip(ofStored), pair => Assert.Equal(pair.First, pair.Second, Tolerance));
        Assert.All(gradient.Zip(gradientOfStored), pair => Assert.Equal(pair.First, pair.Second, Tolerance));
        Assert.Contains(gradient, value => MathF.Abs(value) > 100 * Tolerance);
    }

    [SkippableTheory]
    [InlineData(ElementType.Q8_0)]
    [InlineData(ElementType.Q4_1)]
    [InlineData(ElementType.Q6_K)]
    [InlineData(ElementType.IQ4_XS)]
    public void Forward_WidenedWeights_GivesTheProcessorsLogits(ElementType type)
    {
        using Transformer torch = Load(type, roundsToNf4: false, keepsStored: true);
        using Transformer cpu = TinyModel.Create(3, Arithmetic.Exact, type, SpecOf(type));
        Assert.InRange(OpenTorch.Difference(OpenTorch.Logits(cpu), OpenTorch.Logits(torch)), 0, 1e-4f);
    }

    [SkippableTheory]
    [InlineData(ElementType.Q4_1, false)]
    [InlineData(ElementType.Q5_K, false)]
    [InlineData(ElementType.F32, true)]
    public void CopyWeightRow_StoredWeights_GivesTheRowsOfWidenedOnes(ElementType type, bool roundsToNf4)
    {
        using Transformer widened = Load(type, roundsToNf4, keepsStored: false);
        using Transformer stored = Load(type, roundsToNf4, keepsStored: true);

        // Of the second the rows are no whole blocks.
        foreach (Site site in (Site[])[new(0, SiteRole.Query), new(1, SiteRole.Down)])
        {
            (int outputs, int inputs) = SpecOf(type).Shape(site.Role);
            float[] expected = new float[inputs];
            float[] actual = new float[inputs];
            for (int row = 0; row < outputs; row++)
            {
                widened.CopyWeightRow(site, row, expected);
                stored.CopyWeightRow(site, row, actual);
                Assert.Equal(expected, actual);
            }

            Assert.Contains(actual, value => value != 0);
        }
    }

    // Blocks of 32 and of 64, or of 256, fit into its rows.
    private static Models.Spec.TransformerSpec SpecOf(ElementType type) => type.BlockElements() > 32
        ? TinyModel.DefaultSpec with { Width = 256, HeadSize = 64, FeedForwardWidth = 256 }
        : TinyModel.DefaultSpec with { HeadSize = 32 };

    private static Transformer Load(ElementType type, bool roundsToNf4, bool keepsStored) =>
        OpenTorch.With(new TorchDeviceOptions { KeepsStored = keepsStored }).Load(
            TinyModel.Weights(3, type, SpecOf(type)), new ModelLoadOptions { Arithmetic = Arithmetic.Exact, RoundsToNf4 = roundsToNf4 });

    private static (float[] Losses, float[] Gradient) Train(Transformer model)
    {
        var random = new Random(5);
        Site site = new(0, SiteRole.Value);
        (int outputs, int inputs) = model.Spec.Shape(site.Role);
        var a = new FloatMatrix(2, inputs);
        var b = new FloatMatrix(outputs, 2);
        foreach (float[] values in (float[][])[a.Values, b.Values])
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (random.NextSingle() - 0.5f) * 0.5f;
            }
        }

        AdapterEdit[] edits = [new LowRank(site, a, b, 1)];
        var gradients = new EditGradients(edits, model, new Dictionary<Site, GradientMatrix>());
        using ResidentAdapter adapter = model.Place(edits);
        int[] tokens = TinyModel.Tokens(9, 11, model.VocabularySize);
        var share = new BatchShare { Adapter = adapter, Gradients = gradients, Examples = [new TrainingExample(tokens, tokens)], UniformCoefficient = 1 };
        using var pool = new WorkerPool(1);
        using ITrainingPass pass = model.CreateTraining(pool);
        pass.Run([share]);
        return (share.Losses, gradients.At(site)!.A!.Values);
    }
}

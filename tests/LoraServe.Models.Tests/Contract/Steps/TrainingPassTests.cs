using LoraServe.Adapters.Edits;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Models.Tests.Contract.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Steps;

/// <summary>What a training pass says beside derivatives.</summary>
public sealed class TrainingPassTests
{
    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Run_OnceMore_AddsTheSameDerivatives(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        AdapterEdit[] edits = [.. OtherEdits.All(model.Plain, new EditValues(1))];
        var derivatives = new EditDerivatives(edits, model.OnDevice);
        ResidentAdapter adapter = model.PlaceToTrain(edits);
        TrainingExample[] examples = TrainingCase.Named("ragged").Examples(1, model.VocabularySize);
        using ITrainingPass pass = model.OnDevice.CreateTraining(model.Pool);
        pass.Run([Share(examples)]);
        float[][] once = [.. derivatives.Parts.Select(part => part.ToArray())];

        // A larger batch in between, whose derivatives are cleared, leaves nothing behind.
        derivatives.Gradients.Clear();
        pass.Run([Share(new TrainingCase("many", [.. Enumerable.Repeat(20, 70)]).Examples(5, model.VocabularySize))]);
        derivatives.Gradients.Clear();
        pass.Run([Share(examples)]);
        pass.Run([Share(examples)]);
        foreach ((float[] first, float[] both) in once.Zip(derivatives.Parts))
        {
            double scale = first.Max(MathF.Abs);
            Assert.All(first.Zip(both), pair => Assert.InRange(Math.Abs((2 * pair.First) - pair.Second), 0, model.Device.GradientTolerance * scale));
        }

        BatchShare Share(TrainingExample[] of) => new() { Adapter = adapter, Gradients = derivatives.Gradients, Examples = of, UniformCoefficient = 0.125f };
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Run_NothingTrained_GivesLossesOfStacksAndHits(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        AdapterEdit[][] edits =
        [
            [.. OtherEdits.All(model.Plain, new EditValues(1))],
            [.. new VirtualTokensTests().Edits(model.Plain, new EditValues(2))],
            [.. new BottleneckTests().Edits(model.Plain, new EditValues(3))],
        ];
        ResidentAdapter[] adapters = Array.ConvertAll(edits, own => model.Place(own));
        using ITrainingPass pass = model.OnDevice.CreateTraining(model.Pool);
        var stack = new BatchShare { Adapter = adapters[0], Beside = adapters[1..], Examples = TrainingCase.Named("ragged").Examples(1, model.VocabularySize), WantsHits = true };
        var ofBase = new BatchShare { Examples = Likeliest(), WantsHits = true };
        pass.Run([stack, ofBase]);
        CheckLosses(stack, [.. edits.Select(own => new PlainAdapter(own))]);
        CheckLosses(ofBase, []);
        Assert.Equal(stack.Losses.Length, stack.Hits.Length);
        Assert.Equal([true, false, true, true], ofBase.Hits);

        void CheckLosses(BatchShare share, PlainAdapter[] with)
        {
            double[] expected = [.. share.Examples.SelectMany(example => model.Forward.Losses(example, 0, with))];
            Assert.Equal(expected.Length, share.Losses.Length);
            Assert.All(expected.Zip(share.Losses), loss => Assert.InRange(Math.Abs(loss.First - loss.Second), 0, model.Device.Tolerance * (1 + loss.First)));
        }

        // Four tokens after two, of which the second is not what the base takes for the likeliest.
        TrainingExample[] Likeliest()
        {
            List<int> tokens = [3, 7];
            for (int i = 0; i < 4; i++)
            {
                double[] logits = model.Forward.Logits([.. tokens])[^1];
                int best = Array.IndexOf(logits, logits.Max());
                tokens.Add(i == 1 ? (best + 1) % logits.Length : best);
            }

            return [new TrainingExample([.. tokens], [TrainingExample.NoLabel, TrainingExample.NoLabel, .. tokens[2..]])];
        }
    }
}

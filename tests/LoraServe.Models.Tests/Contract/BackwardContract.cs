using LoraServe.Adapters.Edits;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract;

/// <summary>What every device owes going back: losses as in float64, and derivatives that say how the loss in float64 changes when an edit's numbers do.</summary>
internal static class BackwardContract
{
    /// <summary>Trains an adapter of a kind on the examples of a case.</summary>
    public static void Check(ContractModel model, TrainingCase training, EditKind kind)
    {
        using ITrainingPass pass = model.OnDevice.CreateTraining(model.Pool);
        var trained = new Trained(model, training, kind, seed: 1);
        var other = new Trained(model, training, kind, seed: 2);
        var ofBase = new BatchShare { Examples = training.Examples(50, model.VocabularySize) };
        pass.Run(training.HasOthers ? [ofBase, trained.Share, other.Share] : [trained.Share], training.CheckpointsActivations);
        trained.Check();
        if (!training.HasOthers && !training.CheckpointsActivations)
        {
            return;
        }

        // What an adapter gets is what it gets alone, and layers that run again make what they made.
        var alone = new Trained(model, training, kind, seed: 1);
        pass.Run([alone.Share]);
        trained.CheckSame(alone);
        if (training.HasOthers)
        {
            other.Check();
            CheckLosses(model, ofBase, training, []);
        }
    }

    private static void CheckLosses(ContractModel model, BatchShare share, TrainingCase training, PlainAdapter[] stack)
    {
        double[] expected = [.. share.Examples.SelectMany(example => model.Forward.Losses(example, training.Smoothing, stack))];
        Assert.Equal(share.Examples.Select(example => model.Forward.Losses(example, 0, stack).Length), share.LabelledTokens);
        Assert.Equal(expected.Length, share.Losses.Length);
        Assert.All(expected.Zip(share.Losses), loss => Assert.InRange(Math.Abs(loss.First - loss.Second), 0, model.Device.Tolerance * (1 + loss.First)));
    }

    /// <summary>A trained adapter with its share of a pass.</summary>
    /// <summary>What rounding leaves of a derivative that is none.</summary>
    private const double Nothing = 1e-6;

    private sealed class Trained
    {
        private readonly ContractModel _model;
        private readonly TrainingCase _training;
        private readonly AdapterEdit[] _edits;
        private readonly EditDerivatives _derivatives;
        private readonly int _seed;

        public Trained(ContractModel model, TrainingCase training, EditKind kind, int seed)
        {
            (_model, _training, _seed) = (model, training, seed);
            _edits = [.. kind(model.Plain, new EditValues(seed))];
            _derivatives = new EditDerivatives(_edits, model.OnDevice);
            ResidentAdapter adapter = model.PlaceToTrain(_edits);
            TrainingExample[] examples = training.Examples(10 * seed, model.VocabularySize);
            int count = LabelledTokens.Count(examples, adapter);
            Share = new BatchShare
            {
                Adapter = adapter,
                Gradients = _derivatives.Gradients,
                Examples = examples,
                Smoothing = training.Smoothing,
                UniformCoefficient = training.HasRule ? null : training.Coefficient(0, count),
                Coefficients = training.HasRule ? Rule : null,
            };

            void Rule(BatchShare share, Span<float> coefficients)
            {
                // The losses are there when their factors are asked for.
                CheckLosses(model, share, training, Stack);
                for (int i = 0; i < coefficients.Length; i++)
                {
                    coefficients[i] = training.Coefficient(i, coefficients.Length);
                }
            }
        }

        public BatchShare Share { get; }

        private PlainAdapter[] Stack => [new PlainAdapter(_edits)];

        /// <summary>Every edit's derivative along a random direction of its numbers.</summary>
        public void Check()
        {
            CheckLosses(_model, Share, _training, Stack);
            var random = new Random(_seed);
            double longest = 0;
            foreach (AdapterEdit edit in _edits)
            {
                EditNumbers numbers = EditNumbers.Of(edit, random);
                if (numbers.IsEmpty)
                {
                    continue;
                }

                numbers.Move(EditValues.Step);
                double above = Loss();
                numbers.Move(-2 * EditValues.Step);
                double below = Loss();
                numbers.Move(EditValues.Step);
                double difference = (above - below) / (2 * EditValues.Step);
                (double derivative, double length) = _derivatives.Along(edit, numbers);
                longest = Math.Max(longest, length);
                Assert.True(
                    Math.Abs(derivative - difference) <= (_model.Device.GradientTolerance * (length + (0.01 * longest))) + Nothing,
                    $"{_training.Name}, {Name(edit)}: derivative {derivative} of a gradient of length {length}, difference {difference}");
                Assert.True(!_training.ReachesAll || length > 1e-5, $"{_training.Name}, {Name(edit)}: the gradient's length is {length}, so that nothing is tested.");
            }
        }

        /// <summary>The same losses and derivatives: to the bit where the device promises it.</summary>
        public void CheckSame(Trained alone)
        {
            foreach ((float[] one, float[] two) in _derivatives.Parts.Zip(alone._derivatives.Parts).Append((Share.Losses, alone.Share.Losses)))
            {
                if (_model.OnDevice.IsBatchInvariant)
                {
                    Assert.Equal(one, two);
                    continue;
                }

                double scale = one.Select(Math.Abs).DefaultIfEmpty().Max();
                Assert.All(one.Zip(two), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, _model.Device.GradientTolerance * scale));
            }
        }

        private double Loss() => Share.Examples
            .SelectMany(example => _model.Forward.Losses(example, _training.Smoothing, Stack))
            .Select((loss, token) => loss * (float)_training.Coefficient(token, Share.Losses.Length)).Sum();

        private static string Name(AdapterEdit edit) => $"{edit.GetType().Name} {edit switch
        {
            ModuleEdit module => module.Site.ToString(),
            NormDelta norm => norm.Site.ToString(),
            NormReplacement norm => norm.Site.ToString(),
            Bottleneck bottleneck => $"layer {bottleneck.Layer} {bottleneck.Place}",
            PrefixKeyValue prefix => $"layer {prefix.Layer}",
            PromptAttention prompt => $"layer {prompt.Layer} {prompt.Place}",
            _ => "",
        }}";
    }
}

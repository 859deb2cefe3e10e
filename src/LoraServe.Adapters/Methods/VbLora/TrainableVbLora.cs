using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Methods.VbLora;

/// <summary>VB-LoRA (Li et al. 2024, arXiv:2405.15179): low-rank pairs put together from a bank of vectors that all modules share.</summary>
internal sealed class TrainableVbLora : TrainableUpdates
{
    private const float FirstBound = 0.02f;
    private const float FirstDeviation = 0.1f;
    private readonly VbLoraConfig _config;
    private readonly List<Update> _updates = [];

    /// <summary>Bank and logits drawn, so that the model is not quite the base.</summary>
    public TrainableVbLora(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        _config = VbLoraConfig.Read(fields);
        float bound = (float)(fields.Number("init_vector_bank_bound") ?? FirstBound);
        float deviation = (float)(fields.Number("init_logits_std") ?? FirstDeviation);
        Parameter bank = Add(
            VbLoraReader.BankName, [_config.Vectors, _config.Length], Initialization.Uniform(checked(_config.Vectors * _config.Length), bound, unchecked(options.Seed - 1)));
        AddUpdates(_config.Modules, options.Seed, (module, path, seed) =>
        {
            _config.Check(module, fields.File);
            Parameter Logits(string name, int rows, int columns, int index) => Add(
                $"{path}.vblora_logits_{name}",
                [rows, columns, _config.Vectors],
                Initialization.Normal(checked(rows * columns * _config.Vectors), deviation, seed + index));

            var update = new Update(
                module, bank, Logits("A", _config.Rank, module.Inputs / _config.Length, 0), Logits("B", module.Outputs / _config.Length, _config.Rank, 1), _config);
            _updates.Add(update);
            return update;
        });
    }

    internal override IEnumerable<Parameter> Saved() =>
        _config.SavesChosenAlone ? [Parameters[0], .. _updates.SelectMany(update => update.SavedChosen())] : Parameters;

    private protected override void Load(ConfigFields source, AdapterTensors tensors)
    {
        if (VbLoraConfig.Read(source).SavesChosenAlone)
        {
            throw new AdapterFormatException($"{tensors.File}: has the chosen vectors alone (save_only_topk_weights), so that it cannot be trained on. Begin with a new one.");
        }

        base.Load(source, tensors);
    }

    private sealed class Update(BaseModule module, Parameter bank, Parameter logitsOfA, Parameter logitsOfB, VbLoraConfig config) : TrainableUpdate(module)
    {
        private VectorParts _partsOfA = new(0, config.Chosen);
        private VectorParts _partsOfB = new(0, config.Chosen);

        public override ModuleEdit Edit()
        {
            (_partsOfA, _partsOfB) = (Parts(logitsOfA), Parts(logitsOfB));
            return VbLoraReader.Edit(Module, bank.Matrix(), _partsOfA, _partsOfB, config.Rank);
        }

        public override void Pull(LinearEditGradient change)
        {
            int length = config.Length;
            for (int part = 0; part < change.A!.Values.Length / length; part++)
            {
                Pull(_partsOfA, part, change.A.Values.AsSpan(part * length, length), logitsOfA);
            }

            // A part of B is part of a column.
            FloatMatrix dB = change.B!.Matrix();
            float[] d = new float[length];
            for (int part = 0; part < dB.Values.Length / length; part++)
            {
                (int tile, int column) = int.DivRem(part, config.Rank);
                for (int i = 0; i < length; i++)
                {
                    d[i] = dB.Row((tile * length) + i)[column];
                }

                Pull(_partsOfB, part, d, logitsOfB);
            }
        }

        /// <summary>What a file has of the logits: the chosen vectors, and all weights but the last.</summary>
        public IEnumerable<Parameter> SavedChosen() => new[] { logitsOfA, logitsOfB }.SelectMany(logits =>
        {
            VectorParts parts = Parts(logits);
            (int rows, int columns, int chosen) = (logits.Shape[0], logits.Shape[1], config.Chosen);
            ElementType type = config.Vectors switch { <= 1 << 8 => ElementType.U8, <= 1 << 15 => ElementType.I16, _ => ElementType.I32 };
            return (Parameter[])
            [
                new($"{logits.Name}_topk_indices", [rows, columns, chosen], Array.ConvertAll(parts.Indices, index => (float)index))
                {
                    StoredAs = type,
                },
                new($"{logits.Name}_topk_weights", [rows, columns, chosen - 1], [.. parts.Weights.Where((_, i) => i % chosen != chosen - 1)]),
            ];
        });

        /// <summary>From one part to the bank, and through the softmax of what was chosen to logits.</summary>
        private void Pull(VectorParts parts, int part, ReadOnlySpan<float> d, Parameter logits)
        {
            int first = part * parts.Chosen;
            float[] slopes = new float[parts.Chosen];
            float mean = 0;
            for (int k = 0; k < slopes.Length; k++)
            {
                int vector = parts.Indices[first + k] * config.Length;
                Span<float> dVector = bank.Gradient.AsSpan(vector, config.Length);
                TensorPrimitives.MultiplyAdd(d, parts.Weights[first + k], dVector, dVector);
                slopes[k] = TensorPrimitives.Dot(d, bank.Values.AsSpan(vector, config.Length));
                mean += parts.Weights[first + k] * slopes[k];
            }

            for (int k = 0; k < slopes.Length; k++)
            {
                logits.Gradient[(part * config.Vectors) + parts.Indices[first + k]] += parts.Weights[first + k] * (slopes[k] - mean);
            }
        }

        private VectorParts Parts(Parameter logits) =>
            VectorParts.FromLogits(new FloatMatrix(logits.Shape[0] * logits.Shape[1], config.Vectors, logits.Values), config.Chosen);
    }
}

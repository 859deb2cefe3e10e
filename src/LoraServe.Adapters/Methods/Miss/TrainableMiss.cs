using System.Numerics.Tensors;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Miss;

/// <summary>MiSS (Kang and Yin 2024, arXiv:2409.15371): a block that sums of inputs go through, or that tiles of the weight are multiplied with.</summary>
internal sealed class TrainableMiss : TrainableUpdates
{
    /// <summary>Blocks of zero, drawn where the configuration's init_weights is false.</summary>
    public TrainableMiss(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        MissConfig miss = MissConfig.Read(fields);
        bool isDrawn = fields.Find("init_weights") is { ValueKind: JsonValueKind.False };
        AddUpdates(miss.Modules, options.Seed, (module, path, seed) =>
        {
            int[] shape = miss.BlockShape(module, fields.File);
            return new Update(
                model, module, Add($"{path}.miss_block", shape, isDrawn ? Initialization.KaimingUniform(miss.Rank, module.Outputs, seed) : null), miss);
        });
    }

    private sealed class Update(IBaseModel model, BaseModule module, Parameter block, MissConfig config) : TrainableUpdate(module)
    {
        public override ModuleEdit Edit() => MissReader.Edit(model, Module, block.Values, config);

        public override void Pull(LinearEditGradient change)
        {
            if (change.Dense is { } dense)
            {
                PullTiles(dense.Matrix());
                return;
            }

            FloatMatrix dB = change.B!.Matrix();
            int columns = block.Shape[1];
            for (int output = 0; output < dB.Rows; output++)
            {
                for (int k = 0; k < dB.Columns; k++)
                {
                    block.Gradient[(k * columns) + (output % columns)] += dB.Row(output)[k];
                }
            }
        }

        /// <summary>Of (W + I)·b at each tile: (W + I)ᵀ·d.</summary>
        private void PullTiles(FloatMatrix d)
        {
            int rank = config.Rank;
            float[] weights = new float[Module.Inputs];
            for (int output = 0; output < Module.Outputs; output++)
            {
                model.CopyWeightRow(Module.Site, output, weights);
                MissReader.AddIdentity(weights, output, rank);
                Span<float> dBlock = block.Gradient.AsSpan(output / rank * rank * rank, rank * rank);
                for (int input = 0; input < Module.Inputs; input++)
                {
                    Span<float> row = dBlock.Slice(input % rank * rank, rank);
                    TensorPrimitives.MultiplyAdd(d.Row(output).Slice(input / rank * rank, rank), weights[input], row, row);
                }
            }
        }
    }
}

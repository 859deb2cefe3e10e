using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Gralora;

/// <summary>GraLoRA (Jung et al. 2025, arXiv:2505.20355): the pairs of blocks, and in the hybrid form one of the whole weight.</summary>
internal sealed class TrainableGralora : TrainableUpdates
{
    /// <summary>B of zero, drawn where the configuration's init_weights is false.</summary>
    public TrainableGralora(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        GraloraConfig gralora = GraloraConfig.Read(fields);
        bool beginsAsBase = fields.Flag("init_weights", true);
        AddUpdates(gralora.Modules, options.Seed, (module, path, seed) =>
        {
            (int inputs, int outputs) = gralora.Block(module);
            (int blocks, int rank, int whole) = (gralora.Blocks, gralora.Rank, gralora.WholeRank);

            // Each block is a linear layer of its own: A has its inputs, B the rank.
            Parameter Drawn(string name, int[] shape, int fanIn, bool isZero, int index) =>
                Add($"{path}.gralora_{name}", shape, isZero ? null : Initialization.KaimingUniform(shape.Aggregate((x, y) => checked(x * y)) / fanIn, fanIn, seed + index));

            Parameter a = Drawn("A", [blocks, inputs, rank], inputs, false, 0);
            Parameter b = Drawn("B", [blocks, rank, outputs], rank, beginsAsBase, 1);
            return whole == 0
                ? new Update(module, gralora, a, b, null, null)
                : new Update(
                    module, gralora, a, b, Drawn("A_general.weight", [whole, module.Inputs], module.Inputs, false, 2), Drawn("B_general.weight", [module.Outputs, whole], whole, beginsAsBase, 3));
        });
    }

    private sealed class Update(BaseModule module, GraloraConfig config, Parameter a, Parameter b, Parameter? wholeA, Parameter? wholeB) : TrainableUpdate(module)
    {
        private readonly BlockPairs _pairs = new(module, config, a.Values, b.Values, wholeA?.Values ?? [], wholeB?.Values ?? []);

        public override ModuleEdit Edit() => _pairs.Edit();

        public override void Pull(LinearEditGradient change)
        {
            (float[] dWholeA, float[] dWholeB) = (wholeA?.Gradient ?? [], wholeB?.Gradient ?? []);
            if (change.Dense is { } dense)
            {
                _pairs.PullDense(dense.Matrix(), a.Gradient, b.Gradient, dWholeA, dWholeB);
            }
            else
            {
                _pairs.PullPair(change.A!.Matrix(), change.B!.Matrix(), a.Gradient, b.Gradient, dWholeA, dWholeB);
            }
        }
    }
}

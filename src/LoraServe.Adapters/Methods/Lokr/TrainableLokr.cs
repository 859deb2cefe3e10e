using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Lokr;

/// <summary>LoKr (Yeh et al. 2024, arXiv:2309.14859): ΔW is a Kronecker product, of whose factors some are low-rank products.</summary>
internal sealed class TrainableLokr : TrainableUpdates
{
    private const string Lycoris = "lycoris";

    /// <summary>All drawn but w1 or w1_a, or as LyCORIS has it w2 or w2_b, which is zero.</summary>
    public TrainableLokr(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        LokrConfig lokr = LokrConfig.Read(fields);
        (bool firstIsZero, bool secondIsZero) = fields.Find("init_weights") switch
        {
            null or { ValueKind: JsonValueKind.True } => (true, false),
            { ValueKind: JsonValueKind.False } => (false, false),
            { ValueKind: JsonValueKind.String } text when text.GetString() == Lycoris => (false, true),
            { } value => throw fields.Refuse("init_weights", value, $"true, false or {Lycoris}"),
        };
        AddUpdates(lokr.Modules, options.Seed, (module, path, seed) =>
        {
            int rank = lokr.Ranks.Rank(module.Path);
            ((int, int, bool) first, (int, int, bool) second) = lokr.Shapes(module);
            return new Update(
                module,
                AddFactor($"{path}.lokr_w1", first, rank, firstIsZero, leftIsZero: true, seed),
                AddFactor($"{path}.lokr_w2", second, rank, secondIsZero, leftIsZero: false, seed + 2),
                lokr.Ranks.Scale(module.Path));
        });
    }

    private TrainableFactor AddFactor(string name, (int Rows, int Columns, bool IsWhole) shape, int rank, bool isZero, bool leftIsZero, int seed)
    {
        Parameter Matrix(string suffix, int rows, int columns, bool zero, int index) =>
            Add(name + suffix, [rows, columns], zero ? null : Initialization.KaimingUniform(rows, columns, seed + index));

        return shape.IsWhole
            ? new TrainableFactor(Matrix("", shape.Rows, shape.Columns, isZero, 0))
            : new TrainableFactor(Matrix("_a", shape.Rows, rank, isZero && leftIsZero, 0), Matrix("_b", rank, shape.Columns, isZero && !leftIsZero, 1));
    }

    private sealed class Update(BaseModule module, TrainableFactor first, TrainableFactor second, float scale) : TrainableUpdate(module)
    {
        public override ModuleEdit Edit() => LokrReader.Edit(Module, first.Value, second.Value, scale);

        public override void Pull(LinearEditGradient change)
        {
            if (change.Dense is { } dense)
            {
                (FloatMatrix left, FloatMatrix right) = (first.Value.Formed(), second.Value.Formed());
                float[] dLeft = new float[left.Values.Length];
                float[] dRight = new float[right.Values.Length];
                MatrixGradient.OfKronecker(dense.Matrix(), left, right, scale, dLeft, dRight);
                first.Pull(dLeft);
                second.Pull(dRight);
                return;
            }

            MatrixGradient.OfKronecker(change.A!.Matrix(), first.Value.Right, second.Value.Right, 1, first.Right?.Gradient, second.Right?.Gradient);
            MatrixGradient.OfKronecker(change.B!.Matrix(), first.Value.Left, second.Value.Left, 1, first.Left?.Gradient, second.Left?.Gradient);
        }
    }
}

using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Lokr;

/// <summary>LoKr (Yeh et al. 2024): W + scale·w1 ⊗ w2, where both or one of the two may be products of low rank.</summary>
internal sealed class LokrReader : ModuleReader
{
    private readonly LokrConfig _config;

    private LokrReader(LokrConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "LoKr";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new LokrReader(LokrConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The change: a low-rank pair of the product of the factors' ranks where that is less than the matrix.</summary>
    /// <remarks>(l₁·r₁) ⊗ (l₂·r₂) = (l₁ ⊗ l₂)·(r₁ ⊗ r₂).</remarks>
    public static ModuleEdit Edit(BaseModule module, KroneckerFactor first, KroneckerFactor second, float scale)
    {
        if (DeltaForm.IsLowRank(module, (long)first.Rank * second.Rank))
        {
            return new LowRank(module.Site, KroneckerProduct.Of(first.Right, second.Right), KroneckerProduct.Of(first.Left, second.Left), scale);
        }

        FloatMatrix whole = DeltaForm.Whole(module);
        KroneckerProduct.Form(first.Formed(), second.Formed(), scale, whole);
        return new DenseDelta(module.Site, whole);
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        ((int, int, bool) first, (int, int, bool) second) = _config.Shapes(module);
        edits.Add(Edit(module, Factor(module, "lokr_w1", first), Factor(module, "lokr_w2", second), _config.Ranks.Scale(module.Path)));
    }

    private KroneckerFactor Factor(BaseModule module, string part, (int Rows, int Columns, bool IsWhole) shape)
    {
        string name = $"{module.Path}.{part}";
        int rank = _config.Ranks.Rank(module.Path);
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base, and has rank {rank} and factors by decompose_both and decompose_factor in the configuration";
        return shape.IsWhole
            ? KroneckerFactor.Of(Tensors.Matrix(name, shape.Rows, shape.Columns, because))
            : KroneckerFactor.Of(Tensors.Matrix($"{name}_a", shape.Rows, rank, because), Tensors.Matrix($"{name}_b", rank, shape.Columns, because));
    }
}

using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Hra;

/// <summary>HRA (Yuan et al. 2024): inputs go through reflections, W·(I − P·Qᵀ), which is a low-rank change −(W·P)·Qᵀ.</summary>
internal sealed class HraReader : ModuleReader
{
    private readonly HraConfig _config;

    private HraReader(HraConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "HRA";

    /// <inheritdoc />
    protected override bool IsMadeOfWeight => true;

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new HraReader(HraConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The change that reflections make at a module.</summary>
    public static LowRank Edit(IBaseModel model, BaseModule module, HouseholderProduct reflections) =>
        new(module.Site, reflections.Directions, model.MultiplyRows(module, reflections.Combined).Transposed(), -1);

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        FloatMatrix columns = Tensors.Matrix($"{module.Path}.hra_u", module.Inputs, _config.Rank, $"{module.Path} has {module.Inputs} inputs in the base, r is {_config.Rank} in the configuration");
        var reflections = new HouseholderProduct(columns, _config.Orthogonalises);
        RequireFinite(reflections.Combined, $"{module.Path}.hra_u", "vectors of which none is zero, or for apply_GS in the span of others");
        edits.Pairs.Add(Edit(Model, module, reflections));
    }
}

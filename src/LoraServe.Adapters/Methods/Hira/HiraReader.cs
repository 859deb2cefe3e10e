using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Hira;

/// <summary>HiRA (Huang et al. 2025): W + W∘(B·A), at the token table with (B·A)ᵀ.</summary>
internal sealed class HiraReader : ModuleReader
{
    private readonly HiraConfig _config;

    private HiraReader(HiraConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "HiRA";

    /// <inheritdoc />
    protected override bool EditsTable => true;

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new HiraReader(HiraConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The change of a weight: it times the product, element by element.</summary>
    /// <param name="model">The base.</param>
    /// <param name="module">The linear map or the table.</param>
    /// <param name="left">B; of the table Aᵀ: [rows of the weight, rank].</param>
    /// <param name="right">A; of the table Bᵀ: [rank, columns of the weight].</param>
    /// <param name="replaced">What the file adds to the base's weight beforehand; null for nothing.</param>
    public static FloatMatrix Change(IBaseModel model, BaseModule module, FloatMatrix left, FloatMatrix right, FloatMatrix? replaced = null)
    {
        FloatMatrix change = DeltaForm.Whole(module);
        LowRankProduct.Add(change, right, left, 1);
        model.MultiplyElements(module, change, replaced);
        return change;
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int rank = _config.Rank(module.Path);
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base and has rank {rank} in the configuration";
        bool isTable = module.Site.IsTable;
        FloatMatrix left = isTable
            ? Tensors.Matrix($"{module.Path}.hira_embedding_A", rank, module.Outputs, because).Transposed()
            : Tensors.Matrix($"{module.Path}.hira_B", module.Outputs, rank, because);
        FloatMatrix right = isTable
            ? Tensors.Matrix($"{module.Path}.hira_embedding_B", module.Inputs, rank, because).Transposed()
            : Tensors.Matrix($"{module.Path}.hira_A", rank, module.Inputs, because);
        FloatMatrix change = Change(Model, module, left, right, edits.Dense);
        RequireFinite(change, $"{module.Path}.hira_{(isTable ? "embedding_" : "")}B", "values of which the change is finite");
        edits.Add(new DenseDelta(module.Site, change));
    }
}

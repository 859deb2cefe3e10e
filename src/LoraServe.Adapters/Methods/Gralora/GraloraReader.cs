using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Gralora;

/// <summary>GraLoRA (Jung et al. 2025): low-rank pairs of the blocks of a weight, and in its hybrid form one of the whole weight.</summary>
internal sealed class GraloraReader : ModuleReader
{
    private readonly GraloraConfig _config;

    private GraloraReader(GraloraConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "GraLoRA";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new GraloraReader(GraloraConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        (string path, int outputs, int inputs) = (edits.Module.Path, edits.Module.Outputs, edits.Module.Inputs);
        (int blockInputs, int blockOutputs) = _config.Block(edits.Module);
        (int blocks, int rank, int whole) = (_config.Blocks, _config.Rank, _config.WholeRank);
        string because = $"{path} is [{outputs}, {inputs}] in the base, and the configuration has r {rank}, gralora_k {blocks}, hybrid_r {whole}";
        edits.Add(new BlockPairs(
            edits.Module,
            _config,
            Tensors.Values($"{path}.gralora_A", because, blocks, blockInputs, rank),
            Tensors.Values($"{path}.gralora_B", because, blocks, rank, blockOutputs),
            whole == 0 ? [] : Tensors.Values($"{path}.gralora_A_general.weight", because, whole, inputs),
            whole == 0 ? [] : Tensors.Values($"{path}.gralora_B_general.weight", because, outputs, whole)).Edit());
    }
}

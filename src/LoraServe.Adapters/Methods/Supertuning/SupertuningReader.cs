using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Methods.Shira;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Supertuning;

/// <summary>Super-Tuning: elements of W of the greatest magnitude get summands, beside which there may be a low-rank pair (Supra).</summary>
internal sealed class SupertuningReader : ModuleReader
{
    private readonly SupertuningConfig _config;

    private SupertuningReader(SupertuningConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => _config.Rank is null ? "Super-Tuning" : "Supra";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new SupertuningReader(SupertuningConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The elements that a module's tensor says are changed, as offsets into its weight.</summary>
    /// <param name="tensors">The file.</param>
    /// <param name="name">The tensor [count].</param>
    /// <param name="module">The module.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="AdapterFormatException">They are not in the file or not in the weight, or one is named twice.</exception>
    public static int[] Places(AdapterTensors tensors, string name, BaseModule module, int count)
    {
        if (!tensors.Has(name))
        {
            throw new AdapterFormatException($"{tensors.File}: tensor '{name}' is missing; expected the elements that are changed: which of equal magnitudes come first differs between libraries. Save the adapter with save_precomputed_indices.");
        }

        int[] places = tensors.Indices(name, checked(module.Outputs * module.Inputs), $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base, of which sparsity leaves {count}", count);
        return ShiraReader.FindTwice(places) is { } twice
            ? throw new AdapterFormatException($"{tensors.File}: tensor '{name}' names element {twice} twice; expected each once. Save the adapter again.")
            : places;
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        DeltaForm.CheckWhole(module);
        int count = _config.Count(module, Tensors.File);
        float[] summands = Tensors.Vector($"{module.Path}.supertuning_values", count, $"sparsity leaves {count} elements of {module.Path}");
        edits.Add(ShiraReader.Edit(module, Places(Tensors, $"{module.Path}.supertuning_indices", module, count), summands));
        if (_config.Rank is { } rank)
        {
            string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base and has rank {rank} in the configuration";
            edits.Add(new LowRank(
                module.Site,
                Tensors.Matrix($"{module.Path}.supertuning_lora_A.weight", rank, module.Inputs, because),
                Tensors.Matrix($"{module.Path}.supertuning_lora_B.weight", module.Outputs, rank, because),
                _config.Scale));
        }
    }
}

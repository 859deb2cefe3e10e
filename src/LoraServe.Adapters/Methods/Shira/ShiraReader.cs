using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Shira;

/// <summary>SHiRA (Bhardwaj et al. 2024): a few elements of W get summands, so that its change is sparse and of high rank.</summary>
internal sealed class ShiraReader : ModuleReader
{
    private readonly ShiraConfig _config;

    private ShiraReader(ShiraConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "SHiRA";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new ShiraReader(ShiraConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The elements that a module's tensor says are changed, as offsets into its weight.</summary>
    /// <param name="tensors">The file.</param>
    /// <param name="name">The tensor [2, count]: rows, then columns.</param>
    /// <param name="module">The module.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="AdapterFormatException">They are not in the weight, or one is named twice.</exception>
    public static int[] Places(AdapterTensors tensors, string name, BaseModule module, int count)
    {
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base, and r · (outputs + inputs) elements are changed";
        int[] indices = tensors.Indices(name, Math.Max(module.Outputs, module.Inputs), because, 2, count);
        int[] places = new int[count];
        for (int i = 0; i < count; i++)
        {
            (int row, int column) = (indices[i], indices[count + i]);
            if (row >= module.Outputs || column >= module.Inputs)
            {
                throw new AdapterFormatException($"{tensors.File}: tensor '{name}' names row {row}, column {column}; {module.Path} is [{module.Outputs}, {module.Inputs}] in the base. Load it on the base it was made for, or save it again.");
            }

            places[i] = checked((row * module.Inputs) + column);
        }

        return FindTwice(places) is { } twice
            ? throw new AdapterFormatException($"{tensors.File}: tensor '{name}' names row {twice / module.Inputs}, column {twice % module.Inputs} twice; expected each element once. Save the adapter again.")
            : places;
    }

    /// <summary>An element that is named more than once; null where there is none.</summary>
    public static int? FindTwice(int[] places)
    {
        int[] sorted = [.. places.Order()];
        int twice = Enumerable.Range(1, Math.Max(sorted.Length - 1, 0)).FirstOrDefault(i => sorted[i] == sorted[i - 1]);
        return twice == 0 ? null : sorted[twice];
    }

    /// <summary>The change.</summary>
    /// <param name="module">The linear map.</param>
    /// <param name="places">Offsets into its weight.</param>
    /// <param name="summands">What is added there.</param>
    public static DenseDelta Edit(BaseModule module, int[] places, float[] summands)
    {
        FloatMatrix whole = DeltaForm.Whole(module);
        for (int i = 0; i < places.Length; i++)
        {
            whole.Values[places[i]] = summands[i];
        }

        return new DenseDelta(module.Site, whole);
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        DeltaForm.CheckWhole(module);
        int count = _config.Count(module, Tensors.File);
        float[] summands = Tensors.Vector($"{module.Path}.shira_weight", count, $"r · ({module.Outputs} + {module.Inputs}) elements of {module.Path} are changed");
        edits.Add(Edit(module, Places(Tensors, $"{module.Path}.shira_indices", module, count), summands));
    }
}

using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.UniLora;

/// <summary>Uni-LoRA (Li et al. 2025): every element of every pair is one of a few numbers that all modules share, times how rarely it is used.</summary>
internal sealed class UniLoraReader : ModuleReader
{
    /// <summary>Name of the tensor with the numbers.</summary>
    public const string NumbersName = "base_model.unilora_theta_d";

    private readonly UniLoraConfig _config;
    private readonly float[] _numbers;
    private readonly Lazy<IReadOnlyDictionary<string, UniLoraPlaces>> _drawn;

    private UniLoraReader(UniLoraConfig config, AdapterTensors tensors, IBaseModel model, float[] numbers)
        : base(config.Modules, tensors, model) => (_config, _numbers, _drawn) = (config, numbers, new(() => config.Draw(model)));

    /// <inheritdoc />
    protected override string Name => "Uni-LoRA";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        UniLoraConfig config = UniLoraConfig.Read(fields);
        float[] numbers = tensors.WithPrefix("").Vector(NumbersName, config.Length, "theta_d_length in the configuration");
        return new UniLoraReader(config, tensors.WithPrefix(AdapterFiles.PeftPrefix), model, numbers).Read();
    }

    /// <summary>Which numbers the file says that a module's elements are.</summary>
    /// <exception cref="AdapterFormatException">A tensor is missing or does not fit.</exception>
    public static UniLoraPlaces Places(AdapterTensors tensors, string path, BaseModule module, UniLoraConfig config)
    {
        (int rank, int limit) = (config.Rank, config.Length);
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base, r is {rank} in the configuration";
        return new UniLoraPlaces(
            tensors.Indices($"{path}.unilora_indices_A", limit, because, rank, module.Inputs),
            tensors.Indices($"{path}.unilora_indices_B", limit, because, module.Outputs, rank),
            tensors.Values($"{path}.unilora_scales_A", because, rank, module.Inputs),
            tensors.Values($"{path}.unilora_scales_B", because, module.Outputs, rank));
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        _config.CheckRank([module]);
        UniLoraPlaces places = _config.SavesPlaces ? Places(Tensors, module.Path, module, _config) : _drawn.Value[module.Path];
        LowRank pair = places.Edit(module, _config.Rank, _numbers);
        RequireFinite(pair.B, $"{module.Path}.unilora_scales_B", "factors with which the change is finite");
        RequireFinite(pair.A, $"{module.Path}.unilora_scales_A", "factors with which the change is finite");
        edits.Add(pair);
    }
}

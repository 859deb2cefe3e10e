using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.TinyLora;

/// <summary>TinyLoRA: between the base's greatest singular vectors a small matrix, which a few numbers mix of random ones; modules may share the numbers.</summary>
internal sealed class TinyLoraReader : ModuleReader
{
    /// <summary>What comes before the names of the numbers.</summary>
    public const string NumbersPrefix = "base_model.tinylora_v.";

    private readonly TinyLoraConfig _config;
    private readonly AdapterTensors _numbers;
    private readonly IReadOnlyDictionary<string, (int Place, int Group)> _groups;

    private TinyLoraReader(TinyLoraConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors.WithPrefix(AdapterFiles.PeftPrefix), model) => (_config, _numbers, _groups) = (config, tensors.WithPrefix(NumbersPrefix), config.Groups(model));

    /// <inheritdoc />
    protected override string Name => "TinyLoRA";

    /// <inheritdoc />
    protected override bool EditsTable => true;

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) => new TinyLoraReader(TinyLoraConfig.Read(fields), tensors, model).Read();

    /// <summary>The matrix between the singular vectors, Σ v[i]·P[i].</summary>
    /// <param name="numbers">v.</param>
    /// <param name="projections">P, [numbers, rank, rank].</param>
    /// <param name="rank">Of each.</param>
    public static FloatMatrix Mixed(float[] numbers, float[] projections, int rank)
    {
        var mixed = new FloatMatrix(rank, rank);
        for (int i = 0; i < numbers.Length; i++)
        {
            TensorPrimitives.MultiplyAdd(projections.AsSpan(i * rank * rank, rank * rank), numbers[i], mixed.Values, mixed.Values);
        }

        return mixed;
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        string path = module.Path;
        (int place, int group) = _groups[path];
        int rank = _config.Rank(module);
        string because = $"{path} is [{module.Outputs}, {module.Inputs}] in the base, r makes rank {rank} there, u is {_config.Length}";
        FloatMatrix a = Tensors.Matrix($"{path}.tinylora_A", rank, module.Inputs, because);
        FloatMatrix b = Tensors.Matrix($"{path}.tinylora_B", module.Outputs, rank, because);
        float[] numbers = _numbers.Vector($"{group}", _config.Length, "u in the configuration");
        string projected = $"{path}.tinylora_P";
        float[] projections = Tensors.Has(projected) ? Tensors.Values(projected, because, _config.Length, rank, rank) : _config.Projections(rank, place);
        FloatMatrix left = DenseProduct.Of(b, Mixed(numbers, projections, rank));
        RequireFinite(left, $"{path}.tinylora_B", "values of which the change is finite");

        // At the table tokens go through B first.
        edits.Add(module.Site.IsTable ? new LowRank(module.Site, left.Transposed(), a.Transposed(), 1) : new LowRank(module.Site, a, left, 1));
    }
}

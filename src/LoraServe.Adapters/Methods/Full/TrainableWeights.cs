using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Methods.Full;

/// <summary>Full fine-tuning: every parameter of the base. What is saved is a checkpoint, under Hugging Face's names.</summary>
/// <remarks>The parameters take the base's place, so nothing of the base is computed, and what comes out are the bits that the checkpoint gives as a base in exact arithmetic.</remarks>
internal sealed class TrainableWeights : TrainableAdapter
{
    private const string CheckpointName = "model.safetensors";
    private readonly List<(BaseModule Module, Parameter Weight, Parameter? Bias)> _maps = [];
    private readonly List<(BaseNorm Norm, Parameter Gains, Parameter? Biases)> _norms = [];
    private readonly HashSet<Parameter> _transposed = [];
    private readonly Dictionary<Site, GradientMatrix> _gradients = [];

    /// <summary>All parameters, with the base's values; a tied head is the token table.</summary>
    public TrainableWeights(IBaseModel model)
        : base(new JsonObject(), model)
    {
        BaseModule head = model.Modules.First(module => module.Site == Site.Head);
        foreach (BaseModule module in model.Modules.Where(module => module != head || !model.TiedHead))
        {
            Parameter weight = Add($"{module.Path}.weight", [module.Outputs, module.Inputs], model.Weight(module).Values);
            Parameter? bias = module.HasBias ? Add($"{module.Path}.bias", [module.Outputs], model.Bias(module), decays: false) : null;
            _maps.Add((module, weight, bias));
            if (module.IsTransposed)
            {
                _transposed.Add(weight);
            }

            if (module.Site == Site.Embedding && model.TiedHead)
            {
                _maps.Add((head, weight, null));
            }
        }

        foreach (BaseNorm norm in model.Norms)
        {
            float[] values = model.Parameters(norm);
            Parameter gains = Add($"{norm.Path}.weight", [norm.Width], values[..norm.Width], decays: false);
            _norms.Add((norm, gains, norm.HasBias ? Add($"{norm.Path}.bias", [norm.Width], values[norm.Width..], decays: false) : null));
        }

        foreach ((BaseModule module, Parameter weight, _) in _maps)
        {
            _gradients.Add(module.Site, new GradientMatrix(weight));
        }
    }

    public override IReadOnlyDictionary<Site, GradientMatrix> ReplacementGradients => _gradients;

    public override IReadOnlyList<AdapterEdit> Edits() =>
    [
        .. _maps.Select(map => new WeightReplacement(map.Module.Site, new FloatMatrix(map.Module.Outputs, map.Module.Inputs, map.Weight.Values), map.Bias?.Values)),
        .. _norms.Select(norm => new NormReplacement(norm.Norm.Site, [.. norm.Gains.Values, .. norm.Biases?.Values ?? []])),
    ];

    public override void Pull(EditGradients gradients)
    {
        foreach ((BaseModule module, _, Parameter? bias) in _maps)
        {
            Accumulate(bias, gradients.At(module.Site)?.Bias);
        }

        foreach ((BaseNorm norm, Parameter gains, Parameter? biases) in _norms)
        {
            gradients.At(norm.Site)?.AddTo(norm.Width, gains, biases);
        }
    }

    /// <summary>Writes <c>model.safetensors</c>, float32; what else a model's directory holds is not the trainer's.</summary>
    public override void Save(string directory)
    {
        Directory.CreateDirectory(directory);
        IEnumerable<Tensor> tensors = Parameters.Select(parameter => _transposed.Contains(parameter)
            ? Tensor.OverFloats(parameter.Name, new FloatMatrix(parameter.Shape[0], parameter.Shape[1], parameter.Values).Transposed().Values, parameter.Shape[1], parameter.Shape[0])
            : Tensor.OverFloats(parameter.Name, parameter.Values, [.. parameter.Shape.Select(length => (long)length)]));
        SafetensorsFile.Write(Path.Combine(directory, CheckpointName), tensors, new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <inheritdoc />
    public override void Load(string directory) =>
        throw new AdapterFormatException($"{directory}: full fine-tuning goes on from a model, not from an adapter. Give it as the model.");
}

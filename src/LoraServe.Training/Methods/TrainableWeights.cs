using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;
using LoraServe.Training.Autograd;

namespace LoraServe.Training.Methods;

/// <summary>Full fine-tuning: every parameter of the base. What is saved is a checkpoint, under Hugging Face's names.</summary>
internal sealed class TrainableWeights : TrainableAdapter
{
    private const string CheckpointName = "model.safetensors";
    private readonly ReplacedParameters _weights;

    /// <summary>All parameters, with the base's values; a tied head is the token table.</summary>
    public TrainableWeights(IBaseModel model)
        : base(new JsonObject(), model)
    {
        _weights = new ReplacedParameters(model);
        BaseModule head = model.Modules.First(module => module.Site == Site.Head);
        foreach (BaseModule module in model.Modules.Where(module => module != head || !model.TiedHead))
        {
            BaseModule[] users = module.Site == Site.Embedding && model.TiedHead ? [module, head] : [module];
            _weights.AddWeight(users, values => Add($"{module.Path}.weight", [module.Outputs, module.Inputs], values));
            if (module.HasBias)
            {
                _weights.AddBias(module, values => Add($"{module.Path}.bias", [module.Outputs], values, decays: false));
            }
        }

        foreach (BaseNorm norm in model.Norms)
        {
            _weights.AddNorm(norm, values => Add($"{norm.Path}.weight", [norm.Width], values, decays: false));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _weights.Edits()];

    internal override void Pull(EditGradients gradients) => _weights.Pull(gradients);

    /// <summary>Writes <c>model.safetensors</c>, float32; what else a model's directory holds is not the trainer's.</summary>
    public override void Save(string directory)
    {
        Directory.CreateDirectory(directory);
        SafetensorsFile.Write(
            Path.Combine(directory, CheckpointName), Parameters.Select(parameter => parameter.ToTensor()), new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <inheritdoc />
    public override void Load(string directory) =>
        throw new AdapterFormatException($"{directory}: full fine-tuning goes on from a model, not from an adapter. Give it as the model.");
}

using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.BitFit;

/// <summary>BitFit (Ben Zaken et al. 2021, arXiv:2106.10199): the biases that the base has.</summary>
/// <remarks>Saved as PEFT's LoRA with <c>bias</c> all, whose pairs are zero: PEFT has no format of its own for biases alone.</remarks>
internal sealed class TrainableBiases : TrainableAdapter
{
    private readonly ReplacedParameters _biases;
    private readonly List<Parameter> _pairs = [];

    /// <summary>Every bias, with the base's values.</summary>
    public TrainableBiases(JsonObject config, IBaseModel model)
        : base(config, model)
    {
        LoraConfig lora = LoraConfig.Read(PeftConfig.Fields(config));
        _biases = new ReplacedParameters(model);
        foreach (BaseModule module in model.Modules)
        {
            bool isTargeted = lora.Modules.Targets.Targets(module);
            string path = AdapterFiles.PeftPrefix + module.Path;
            if (isTargeted)
            {
                int rank = lora.Rank(module.Path);
                _pairs.Add(new Parameter($"{path}.lora_A.weight", [rank, module.Inputs], new float[rank * module.Inputs]));
                _pairs.Add(new Parameter($"{path}.lora_B.weight", [module.Outputs, rank], new float[module.Outputs * rank]));
            }

            if (module.HasBias)
            {
                _biases.AddBias(module, values => Add($"{path}.{(isTargeted ? "base_layer." : "")}bias", [module.Outputs], values, decays: false));
            }
        }

        if (Parameters.Count == 0)
        {
            throw new AdapterFormatException("The base has no biases to train. Choose another method, such as ln or ia3, which are as small.");
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _biases.Edits()];

    public override void Pull(EditGradients gradients) => _biases.Pull(gradients);

    internal override IEnumerable<Parameter> Saved() => [.. _pairs, .. Parameters];
}

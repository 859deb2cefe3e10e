using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.AdaptionPrompt;

/// <summary>LLaMA-Adapter (Zhang et al. 2023, arXiv:2303.16199): prompts of the last layers, at first normal, and their gates, at first closed.</summary>
internal sealed class TrainableAdaptionPrompt : TrainableAdapter
{
    private readonly List<(LayerPrompt Layer, Parameter Prompt, Parameter Gate)> _layers = [];
    private readonly int _length;

    /// <summary>Prompts of the configuration's length in as many layers.</summary>
    public TrainableAdaptionPrompt(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        AdaptionPromptConfig read = AdaptionPromptConfig.Read(fields, model);
        _length = read.Length;
        foreach (LayerPrompt layer in LayerPrompt.Last(model, read.Layers, fields.File))
        {
            float[] first = Initialization.Normal(checked(_length * model.Width), 1, options.Seed + _layers.Count);
            _layers.Add((layer, Add(layer.PromptName, [1, _length, model.Width], first), Add(layer.GateName, [1])));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() =>
    [
        .. _layers.Select(part => part.Layer.Edit(Rows(part.Prompt.Values), part.Gate.Values[0])),
        .. _layers.Select(part => part.Layer.OutputBias()).OfType<BiasDelta>(),
    ];

    public override void Pull(EditGradients gradients)
    {
        foreach ((LayerPrompt layer, Parameter prompt, Parameter gate) in _layers)
        {
            if (gradients.PromptAt(layer.Output.Site.Layer) is { } derivative)
            {
                gate.Gradient[0] += layer.Pull(Rows(prompt.Values), gate.Values[0], derivative.Keys.Matrix(), derivative.Values.Matrix(), prompt.Gradient);
            }
        }
    }

    private FloatMatrix Rows(float[] values) => new(_length, Model.Width, values);
}

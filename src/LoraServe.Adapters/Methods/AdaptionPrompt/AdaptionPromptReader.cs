using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.AdaptionPrompt;

/// <summary>LLaMA-Adapter (Zhang et al. 2023): a prompt of the last layers that queries attend to by itself, behind a gate.</summary>
internal static class AdaptionPromptReader
{
    private const string Kind = "adaption_prompt";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported, or the method is not defined for the base.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        AdaptionPromptConfig config = AdaptionPromptConfig.Read(fields, model);
        IReadOnlyList<LayerPrompt> layers = LayerPrompt.Last(model, config.Layers, fields.File);
        string because = $"adapter_len {config.Length} and adapter_layers {config.Layers} in the configuration, width {model.Width} and {model.LayerCount} layers in the base";
        PlacedEdit[] placed = [.. layers.Select(layer => Place(layer, tensors, because, config.Length, model.Width))];
        tensors.RefuseWhatIsLeft();
        return new AdapterContent("adaption prompt") { Placed = placed, Modules = [.. layers.Select(OutputBias).OfType<ModuleEdits>()] };
    }

    private static PlacedEdit Place(LayerPrompt layer, AdapterTensors tensors, string because, int length, int width)
    {
        var prompt = new FloatMatrix(length, width, tensors.Values(layer.PromptName, because, 1, length, width));
        float gate = tensors.Vector(layer.GateName, 1, "one gate a layer")[0];
        PromptAttention edit = layer.Edit(prompt, gate);
        double norm = edit.Values.Norm();
        return new PlacedEdit(edit, $"{layer.Path}.{Kind}", Kind, norm, HasEffect: norm > 0);
    }

    private static ModuleEdits? OutputBias(LayerPrompt layer) => layer.OutputBias() is { } bias ? new ModuleEdits(layer.Output) { Bias = bias.Values } : null;
}

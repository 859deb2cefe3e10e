using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.AdaptionPrompt;

/// <summary>An <c>adapter_config.json</c> of peft_type ADAPTION_PROMPT.</summary>
internal sealed class AdaptionPromptConfig
{
    private AdaptionPromptConfig(ConfigFields fields, IBaseModel model)
    {
        Length = Required(fields, "adapter_len");
        Layers = Required(fields, "adapter_layers");
        if (Layers > model.LayerCount)
        {
            throw new AdapterFormatException($"{fields.File}: field 'adapter_layers' is {Layers}; expected at most {model.LayerCount}, the layers of the base. Load the adapter on the base it was made for.");
        }

        string name = NameOfAttention(model);
        if (fields.Text("target_modules") is { } target && target != name)
        {
            throw new AdapterFormatException($"{fields.File}: field 'target_modules' is '{target}'; expected '{name}', the base's attention. Load the adapter on the base it was made for.");
        }

        fields.RequireUnset("modules_to_save", "an adaption prompt edits no module");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Rows of a layer's prompt.</summary>
    public int Length { get; }

    /// <summary>How many of the last layers have one.</summary>
    public int Layers { get; }

    /// <summary>What the base calls attention, such as <c>self_attn</c>.</summary>
    public static string NameOfAttention(IBaseModel model)
    {
        string path = model.AttentionPaths().First();
        return path[(path.LastIndexOf('.') + 1)..];
    }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong, missing or not supported.</exception>
    public static AdaptionPromptConfig Read(ConfigFields fields, IBaseModel model) => new(fields, model);

    private static int Required(ConfigFields fields, string name) =>
        fields.Integer(name, 1) ?? throw new AdapterFormatException($"{fields.File}: field '{name}' is missing; expected a number of at least 1. Save the adapter again.");
}

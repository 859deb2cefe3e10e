using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.XLora;

/// <summary>An <c>adapter_config.json</c> of peft_type XLORA. Which adapters it is made of, the files' reader has read.</summary>
internal sealed class XLoraConfig
{
    // What PEFT takes where the file does not say.
    private const int UsualHiddenSize = 4096;
    private const int UsualSize = 2048;
    private const double UsualDropout = 0.2;
    private const int GreatestDepth = 64;
    private const int GreatestSize = 1 << 16;

    private XLoraConfig(ConfigFields fields, int experts, int width)
    {
        int hiddenSize = fields.Integer("hidden_size", 1) ?? UsualHiddenSize;
        if (hiddenSize != width)
        {
            throw new AdapterFormatException($"{fields.File}: field 'hidden_size' is {hiddenSize}; expected {width}, the base's width. Load it on the base it was made for.");
        }

        Depth = AtMost(fields, "xlora_depth", 1, GreatestDepth);
        Size = AtMost(fields, "xlora_size", UsualSize, GreatestSize);
        HasDropout = (fields.Number("xlora_dropout_p") ?? UsualDropout) > 0;
        IsLayerwise = fields.Flag("layerwise_scalings", false);
        Temperature = fields.Flag("enable_softmax", true) ? Positive(fields, "softmax_temperature") : null;
        Most = fields.Integer("top_k_lora", 1);
        if (Most > experts)
        {
            throw new AdapterFormatException($"{fields.File}: field 'top_k_lora' is {Most}; expected at most {experts}, the number of its adapters. Correct the field.");
        }

        NormalisesChosen = fields.Flag("enable_softmax_topk", false);
        Weight = (float)(fields.Number("global_scaling_weight") ?? 1);
        PassValue = (float)(fields.Number("scaling_pass_value") ?? 0);
        if (PassValue != 0 && Most < experts)
        {
            throw new AdapterFormatException(
                $"{fields.File}: field 'scaling_pass_value' is {PassValue} and 'top_k_lora' is {Most}, so that the first pass would choose among {experts} equal adapters;"
                + " expected 0, or no choice. Set one of them to null.");
        }

        fields.Ignore("adapters", "use_trainable_adapters", "softmax_temperature");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Linear maps of the classifier.</summary>
    public int Depth { get; }

    /// <summary>Width between them.</summary>
    public int Size { get; }

    /// <summary>Whether a dropout, which does nothing here, has a number of its own between the maps.</summary>
    public bool HasDropout { get; }

    /// <summary>Whether each module has scalings of its own.</summary>
    public bool IsLayerwise { get; }

    /// <summary>Divisor of the logits before a softmax; null: there is none.</summary>
    public float? Temperature { get; }

    /// <summary>Adapters that act on a row at a module; null: all.</summary>
    public int? Most { get; }

    /// <summary>Whether the scalings of those go through a softmax.</summary>
    public bool NormalisesChosen { get; }

    /// <summary>Factor of every adapter.</summary>
    public float Weight { get; }

    /// <summary>Every scaling of the first pass.</summary>
    public float PassValue { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <param name="fields">The fields.</param>
    /// <param name="experts">Number of its adapters.</param>
    /// <param name="width">The base's width.</param>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static XLoraConfig Read(ConfigFields fields, int experts, int width) => new(fields, experts, width);

    private static int AtMost(ConfigFields fields, string name, int usual, int greatest)
    {
        int value = fields.Integer(name, 1) ?? usual;
        return value <= greatest ? value : throw new AdapterFormatException($"{fields.File}: field '{name}' is {value}; expected at most {greatest}. Correct the field.");
    }

    private static float Positive(ConfigFields fields, string name)
    {
        float value = (float)(fields.Number(name) ?? 1);
        return value > 0 ? value : throw new AdapterFormatException($"{fields.File}: field '{name}' is {value}; expected a number above 0. Correct the field.");
    }
}

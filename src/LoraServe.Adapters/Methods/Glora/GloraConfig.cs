using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Glora;

/// <summary>An <c>adapter_config.json</c> of peft_type GLORA.</summary>
internal sealed class GloraConfig
{
    private GloraConfig(ConfigFields fields)
    {
        Rank = fields.Integer("r", 1) ?? 8;
        WeightForm = Form(fields, "config_A_B", GloraForm.LowRank, GloraForm.LowRank, GloraForm.Vector, GloraForm.Constant, GloraForm.None);
        CouplingForm = Form(fields, "config_C", GloraForm.LowRank, GloraForm.LowRank, GloraForm.Vector, GloraForm.None);
        BiasForm = Form(fields, "config_D_E", GloraForm.Constant, GloraForm.Vector, GloraForm.Constant, GloraForm.None);
        Modules = new TargetConfig(fields, "glora_only");
        fields.Ignore("init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Rank of products.</summary>
    public int Rank { get; }

    /// <summary>Of A and B, which change the weight: W + W∘A + B.</summary>
    public GloraForm WeightForm { get; }

    /// <summary>Of C, by which the weight changes the bias: b + W·C.</summary>
    public GloraForm CouplingForm { get; }

    /// <summary>Of D and E, which change the bias: b + b∘D + E.</summary>
    public GloraForm BiasForm { get; }

    /// <summary>Which modules are changed.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static GloraConfig Read(ConfigFields fields) => new(fields);

    private static GloraForm Form(ConfigFields fields, string field, GloraForm usual, params GloraForm[] allowed)
    {
        if (fields.Text(field) is not { } text)
        {
            return usual;
        }

        foreach (GloraForm form in allowed)
        {
            if (Name(form) == text)
            {
                return form;
            }
        }

        throw fields.Refuse(field, fields.Find(field)!.Value, string.Join(" or ", allowed.Select(Name)));
    }

    private static string Name(GloraForm form) => form == GloraForm.LowRank ? "lora" : form.ToString().ToLowerInvariant();
}

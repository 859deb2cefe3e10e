using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Hra;

/// <summary>An <c>adapter_config.json</c> of peft_type HRA.</summary>
internal sealed class HraConfig
{
    private HraConfig(ConfigFields fields)
    {
        Rank = fields.Integer("r", 1) ?? 8;
        Orthogonalises = fields.Flag("apply_GS", false);
        Modules = new TargetConfig(fields, "hra_only");
        fields.Ignore("init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Number of reflections.</summary>
    public int Rank { get; }

    /// <summary>Whether the vectors are made orthogonal to each other.</summary>
    public bool Orthogonalises { get; }

    /// <summary>Which modules' inputs are reflected.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static HraConfig Read(ConfigFields fields) => new(fields);
}

using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.RandLora;

/// <summary>An <c>adapter_config.json</c> of peft_type RANDLORA.</summary>
internal sealed class RandLoraConfig
{
    private RandLoraConfig(ConfigFields fields)
    {
        Rank = fields.Integer("r", 1) ?? 32;
        Scale = (float)((fields.Number("randlora_alpha") ?? 640) / Rank);
        Seed = fields.Integer("projection_prng_key", 0) ?? 0;
        IsSparse = fields.Flag("sparse", false);
        IsVerySparse = fields.Flag("very_sparse", false);
        Modules = new TargetConfig(fields, "randlora_only");
        fields.Ignore("save_projection", "randlora_dropout", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Rank of each of the random bases.</summary>
    public int Rank { get; }

    /// <summary>Factor of the change.</summary>
    public float Scale { get; }

    /// <summary>What the bases are drawn from where the file has none.</summary>
    public int Seed { get; }

    /// <summary>Whether the bases are drawn from −1, 0 and 1, a third of them not 0.</summary>
    public bool IsSparse { get; }

    /// <summary>The same, with far fewer that are not 0.</summary>
    public bool IsVerySparse { get; }

    /// <summary>Which modules are changed.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static RandLoraConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Random bases whose sum has full rank at a module of which the lesser of inputs and outputs is this.</summary>
    public int Bases(int lesser) => 1 + ((lesser - 1) / Rank);
}

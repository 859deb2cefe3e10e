using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Vera;

/// <summary>An <c>adapter_config.json</c> of peft_type VERA.</summary>
internal sealed class VeraConfig
{
    private VeraConfig(ConfigFields fields)
    {
        Rank = fields.Integer("r", 1) ?? 256;
        Seed = fields.Integer("projection_prng_key", 0) ?? 0;
        Modules = new TargetConfig(fields, "vera_only");
        fields.Ignore("save_projection", "vera_dropout", "d_initial", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Rank of the shared projections.</summary>
    public int Rank { get; }

    /// <summary>What the projections are drawn from where the file has none.</summary>
    public int Seed { get; }

    /// <summary>Which modules are scaled.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static VeraConfig Read(ConfigFields fields) => new(fields);
}

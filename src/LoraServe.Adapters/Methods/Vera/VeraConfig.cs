using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Vera;

/// <summary>An <c>adapter_config.json</c> of peft_type VERA or PVERA.</summary>
internal sealed class VeraConfig
{
    private VeraConfig(ConfigFields fields, string name, int parts)
    {
        Name = name;
        Prefix = name.ToLowerInvariant();
        Rank = fields.Integer("r", 1) ?? 256;
        RowsOfA = (int)Math.Min((long)parts * Rank, Array.MaxLength);
        Seed = fields.Integer("projection_prng_key", 0) ?? 0;
        Modules = new TargetConfig(fields, $"{Prefix}_only");
        fields.Ignore("save_projection", $"{Prefix}_dropout", "d_initial", "init_weights");
    }

    /// <summary>What the method is called.</summary>
    public string Name { get; }

    /// <summary>What names of its tensors begin with.</summary>
    public string Prefix { get; }

    /// <summary>Rank of the shared projections.</summary>
    public int Rank { get; }

    /// <summary>Rows of the first projection, of which the first that are the rank act: PVeRA's others are of its noise.</summary>
    public int RowsOfA { get; }

    /// <summary>What the projections are drawn from where the file has none.</summary>
    public int Seed { get; }

    /// <summary>Which modules are scaled.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields of VeRA.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static VeraConfig Read(ConfigFields fields)
    {
        var config = new VeraConfig(fields, "VeRA", 1);
        PeftConfig.RefuseTheRest(fields);
        return config;
    }

    /// <summary>Reads and checks the fields of PVeRA, which is VeRA at the mean of what it has learned.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static VeraConfig ReadProbabilistic(ConfigFields fields)
    {
        var config = new VeraConfig(fields, "PVeRA", 2);
        fields.RequireUnset("sample_at_inference", "answers would be drawn at random, and only the mean is served");
        fields.Ignore("generator_seed");
        PeftConfig.RefuseTheRest(fields);
        return config;
    }
}

using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Loha;

/// <summary>An <c>adapter_config.json</c> of peft_type LOHA.</summary>
internal sealed class LohaConfig
{
    private LohaConfig(ConfigFields fields)
    {
        Ranks = new RankPatterns(fields, "alpha");
        Modules = new TargetConfig(fields);

        // What only training or convolutions read.
        fields.Ignore("rank_dropout", "module_dropout", "use_effective_conv2d", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Ranks of each of the two products, and scales.</summary>
    public RankPatterns Ranks { get; }

    /// <summary>Which modules are edited.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static LohaConfig Read(ConfigFields fields) => new(fields);
}

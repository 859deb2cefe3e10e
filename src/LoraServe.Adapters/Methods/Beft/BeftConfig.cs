using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Beft;

/// <summary>An <c>adapter_config.json</c> of peft_type BEFT.</summary>
internal sealed class BeftConfig
{
    private BeftConfig(ConfigFields fields)
    {
        Modules = new TargetConfig(fields);
        fields.Ignore("init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Which modules get a bias.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static BeftConfig Read(ConfigFields fields) => new(fields);
}

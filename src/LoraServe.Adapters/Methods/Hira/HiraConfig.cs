using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Hira;

/// <summary>An <c>adapter_config.json</c> of peft_type HIRA.</summary>
internal sealed class HiraConfig
{
    private readonly int _rank;
    private readonly ModulePatternMap<int> _ranks;

    private HiraConfig(ConfigFields fields)
    {
        _rank = fields.Integer("r", 1) ?? 32;
        _ranks = new ModulePatternMap<int>(fields, "rank_pattern", (name, value) => fields.Integer(name, value, 1));
        Modules = new TargetConfig(fields);
        fields.Ignore("hira_dropout", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Which modules are edited.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static HiraConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Rank of a module's factors.</summary>
    public int Rank(string path) => _ranks.Find(path) ?? _rank;
}

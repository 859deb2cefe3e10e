using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Delora;

/// <summary>An <c>adapter_config.json</c> of peft_type DELORA.</summary>
internal sealed class DeloraConfig
{
    private readonly int _rank;
    private readonly ModulePatternMap<int> _ranks;
    private readonly double _bound;
    private readonly ModulePatternMap<double> _bounds;

    private DeloraConfig(ConfigFields fields)
    {
        _rank = fields.Integer("r", 1) ?? 8;
        _ranks = new ModulePatternMap<int>(fields, "rank_pattern", (name, value) => fields.Integer(name, value, 1));
        _bound = fields.Number("delora_lambda") ?? 15;
        _bounds = new ModulePatternMap<double>(fields, "lambda_pattern", fields.Number);
        Modules = new TargetConfig(fields, "delora_only");
        fields.Ignore("init_weights", "module_dropout");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Which modules are edited.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static DeloraConfig Read(ConfigFields fields) => new(fields);

    /// <summary>A module's rank.</summary>
    public int Rank(string path) => _ranks.Find(path) ?? _rank;

    /// <summary>First value of a module's bound, which is trained and saved.</summary>
    public float FirstBound(string path) => (float)(_bounds.Find(path) ?? _bound);
}

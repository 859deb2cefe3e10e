using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Deft;

/// <summary>An <c>adapter_config.json</c> of peft_type DEFT.</summary>
internal sealed class DeftConfig
{
    private readonly int _rank;
    private readonly double _alpha;

    private DeftConfig(ConfigFields fields)
    {
        _rank = fields.Integer("r", 1) ?? 8;
        _alpha = fields.Number("alpha") ?? 0;
        IsOrthogonal = fields.Text("decomposition_method") switch
        {
            null or "relu" => false,
            "qr" => true,
            _ => throw fields.Refuse("decomposition_method", fields.Find("decomposition_method")!.Value, "relu or qr"),
        };
        RemovesOnly = fields.Flag("para", false);
        Modules = new TargetConfig(fields, "deft_only");
        fields.Ignore("deft_dropout", "init_scale", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Whether the directions are made orthonormal; else the projection is P·relu(P)ᵀ.</summary>
    public bool IsOrthogonal { get; }

    /// <summary>Whether a part of the weight is taken away and nothing put in its place (PaRa).</summary>
    public bool RemovesOnly { get; }

    /// <summary>Which modules are changed.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static DeftConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Directions that a module has.</summary>
    public int Rank(BaseModule module) => Math.Min(_rank, module.Outputs);

    /// <summary>Factor of what is put in: alpha / r, or 1 without an alpha.</summary>
    public float Scale(BaseModule module) => _alpha == 0 ? 1 : (float)(_alpha / Rank(module));
}

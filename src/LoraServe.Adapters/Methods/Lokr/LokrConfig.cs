using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Lokr;

/// <summary>An <c>adapter_config.json</c> of peft_type LOKR.</summary>
internal sealed class LokrConfig
{
    private readonly bool _decomposesBoth;
    private readonly int _factor;

    private LokrConfig(ConfigFields fields)
    {
        Ranks = new RankPatterns(fields, "alpha");
        _decomposesBoth = fields.Flag("decompose_both", false);
        _factor = fields.Integer("decompose_factor", -1) ?? -1;
        Modules = new TargetConfig(fields);

        // What only training or convolutions read.
        fields.Ignore("rank_dropout", "rank_dropout_scale", "module_dropout", "use_effective_conv2d", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Ranks of the factors that are products, and scales.</summary>
    public RankPatterns Ranks { get; }

    /// <summary>Which modules are edited.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static LokrConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Shapes of the two factors of a module's ΔW, and whether each is stored whole instead of as a product of the module's rank.</summary>
    public ((int Rows, int Columns, bool IsWhole) First, (int Rows, int Columns, bool IsWhole) Second) Shapes(BaseModule module)
    {
        (int firstRows, int secondRows) = Split(module.Outputs);
        (int firstColumns, int secondColumns) = Split(module.Inputs);
        double rank = Ranks.Rank(module.Path);
        bool isFirstWhole = !_decomposesBoth || rank >= Math.Max(firstRows, firstColumns) / 2.0;
        bool isSecondWhole = rank >= Math.Max(secondRows, secondColumns) / 2.0;
        return ((firstRows, firstColumns, isFirstWhole), (secondRows, secondColumns, isSecondWhole));
    }

    /// <summary>A length as a product, the smaller factor first: decompose_factor where it divides, else the pair with the smallest sum up to it.</summary>
    private (int Small, int Great) Split(int length)
    {
        if (_factor > 0 && length % _factor == 0)
        {
            return (_factor, length / _factor);
        }

        int most = _factor == -1 ? length : _factor;
        int small = 1;
        for (int divisor = 2; divisor <= most && divisor <= length / divisor; divisor++)
        {
            small = length % divisor == 0 ? divisor : small;
        }

        return (small, length / small);
    }
}

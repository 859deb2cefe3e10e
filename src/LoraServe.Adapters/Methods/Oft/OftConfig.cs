using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Oft;

/// <summary>An <c>adapter_config.json</c> of peft_type OFT.</summary>
internal sealed class OftConfig
{
    private const int MostTerms = 64;
    private readonly int _blocks;
    private readonly int _size;
    private readonly double _freedom;

    private OftConfig(ConfigFields fields)
    {
        _blocks = fields.Integer("r", 0) ?? 0;
        _size = fields.Integer("oft_block_size", 0) ?? 32;
        if ((_blocks == 0) == (_size == 0))
        {
            throw new AdapterFormatException($"{fields.File}: r is {_blocks} and oft_block_size {_size}; expected one of them to be 0 and the other above.");
        }

        SharesBlock = fields.Flag("block_share", false);
        IsConstrained = fields.Flag("coft", false);
        _freedom = fields.Number("eps") ?? 6e-5;
        int terms = fields.Integer("num_cayley_neumann_terms", 1) ?? 5;
        bool usesSeries = fields.Flag("use_cayley_neumann", true);
        if (usesSeries && terms > MostTerms)
        {
            throw new AdapterFormatException($"{fields.File}: num_cayley_neumann_terms is {terms}; expected at most {MostTerms}.");
        }

        Transform = usesSeries ? CayleyTransform.Series(terms) : CayleyTransform.Exact;
        Modules = new TargetConfig(fields, "oft_only");
        fields.Ignore("module_dropout", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Whether all blocks of a module are one.</summary>
    public bool SharesBlock { get; }

    /// <summary>Whether rotations are kept small (COFT).</summary>
    public bool IsConstrained { get; }

    /// <summary>What makes rotations of skew-symmetric matrices.</summary>
    public CayleyTransform Transform { get; }

    /// <summary>Which modules' inputs are rotated.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static OftConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Inputs in a block of a module: what is asked for, or the closest number that divides.</summary>
    public int BlockSize(int inputs) => _blocks == 0 ? Divisor(inputs, _size) : inputs / Divisor(inputs, _blocks);

    /// <summary>The greatest Frobenius norm of a block's skew-symmetric matrix where <see cref="IsConstrained"/>.</summary>
    /// <param name="blocks">Blocks that the module stores.</param>
    public float GreatestNorm(int blocks) => (float)(_freedom / Math.Sqrt(blocks));

    // As PEFT has it: the lower one where two are as close, and everything where more is asked for than there is.
    private static int Divisor(int inputs, int wanted)
    {
        if (wanted >= inputs)
        {
            return inputs;
        }

        (int lower, int higher) = (wanted, wanted);
        while (inputs % higher != 0)
        {
            higher++;
        }

        while (inputs % lower != 0)
        {
            lower--;
        }

        return wanted - lower <= higher - wanted ? lower : higher;
    }
}

using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Boft;

/// <summary>An <c>adapter_config.json</c> of peft_type BOFT.</summary>
internal sealed class BoftConfig
{
    private const int MostFactors = 24;
    private readonly string _file;
    private readonly int _blocks;
    private readonly int _size;

    private BoftConfig(ConfigFields fields)
    {
        _file = fields.File;
        _blocks = fields.Integer("boft_block_num", 0) ?? 0;
        _size = fields.Integer("boft_block_size", 0) ?? (_blocks == 0 ? 4 : 0);
        if ((_blocks == 0) == (_size == 0))
        {
            throw new AdapterFormatException($"{_file}: boft_block_num is {_blocks} and boft_block_size {_size}; expected one of them to be 0 and the other above.");
        }

        Factors = fields.Integer("boft_n_butterfly_factor", 1) ?? 1;
        Modules = new TargetConfig(fields, "boft_only");
        fields.Ignore("boft_dropout", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Number of factors whose product is a rotation.</summary>
    public int Factors { get; }

    /// <summary>Which modules' inputs are rotated.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static BoftConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Inputs in a block of a module.</summary>
    /// <exception cref="AdapterFormatException">The module's inputs cannot be cut like that.</exception>
    public int BlockSize(BaseModule module)
    {
        int divisor = _blocks == 0 ? _size : _blocks;
        if (module.Inputs % divisor != 0)
        {
            throw new AdapterFormatException($"{_file}: {(_blocks == 0 ? "boft_block_size" : "boft_block_num")} is {divisor}; expected a number that divides the {module.Inputs} inputs of {module.Path}.");
        }

        int size = _blocks == 0 ? _size : module.Inputs / _blocks;
        int blocks = module.Inputs / size;
        if (Factors > 1 && (Factors > MostFactors || blocks % (1 << (Factors - 1)) != 0 || size % 2 != 0))
        {
            throw new AdapterFormatException($"{_file}: boft_n_butterfly_factor is {Factors}, and {module.Path} has {blocks} blocks of {size} inputs; expected blocks of an even number of inputs, and 2 to the number of factors less one to divide the number of blocks.");
        }

        return size;
    }

    /// <summary>The input at each place of a factor's blocks; none where each is at its own.</summary>
    /// <param name="factor">Its number from 0.</param>
    /// <param name="inputs">Inputs of the module.</param>
    /// <param name="size">Inputs in a block.</param>
    public static int[] Order(int factor, int inputs, int size)
    {
        if (factor == 0)
        {
            return [];
        }

        // Of every group of 2^factor blocks, cut into halves, the even halves come first and then the odd.
        int half = size / 2;
        int group = size << factor;
        int halves = group / half;
        int[] order = new int[inputs];
        for (int i = 0; i < inputs; i++)
        {
            int place = i % group / half;
            int from = place < halves / 2 ? 2 * place : (2 * (place - (halves / 2))) + 1;
            order[(i / group * group) + (from * half) + (i % half)] = i;
        }

        return order;
    }
}

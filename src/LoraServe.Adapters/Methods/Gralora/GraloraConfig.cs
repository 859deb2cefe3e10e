using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Gralora;

/// <summary>An <c>adapter_config.json</c> of peft_type GRALORA.</summary>
internal sealed class GraloraConfig
{
    private readonly string _file;

    private GraloraConfig(ConfigFields fields)
    {
        _file = fields.File;
        Rank = fields.Integer("r", 1) ?? 32;
        Blocks = fields.Integer("gralora_k", 1) ?? 2;
        WholeRank = fields.Integer("hybrid_r", 0) ?? 0;
        Scale = (float)((fields.Number("alpha") ?? 64) / ((double)Rank + WholeRank));
        if (Rank % Blocks != 0)
        {
            throw new AdapterFormatException($"{_file}: field 'r' is {Rank}; expected a multiple of gralora_k, which is {Blocks}. Correct the field or export the adapter again.");
        }

        Modules = new TargetConfig(fields, "gralora_only");
        fields.Ignore("gralora_dropout", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Rows that each block of inputs is brought to, as many for each block of outputs.</summary>
    public int Rank { get; }

    /// <summary>Blocks that inputs and outputs are divided into.</summary>
    public int Blocks { get; }

    /// <summary>Rank of the pair over all inputs and outputs; 0 for none.</summary>
    public int WholeRank { get; }

    /// <summary>Factor of the change.</summary>
    public float Scale { get; }

    /// <summary>Which modules are edited.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static GraloraConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Inputs and outputs of a block of a module.</summary>
    /// <exception cref="AdapterFormatException">The module cannot be divided so.</exception>
    public (int Inputs, int Outputs) Block(BaseModule module) => module.Inputs % Blocks == 0 && module.Outputs % Blocks == 0
        ? (module.Inputs / Blocks, module.Outputs / Blocks)
        : throw new AdapterFormatException($"{_file}: field 'gralora_k' is {Blocks}; expected a divisor of the {module.Inputs} inputs and {module.Outputs} outputs that {module.Path} has in the base. Load the adapter on the base it was made for.");
}

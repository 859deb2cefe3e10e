using System.Text.Json;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Miss;

/// <summary>An <c>adapter_config.json</c> of peft_type MISS.</summary>
internal sealed class MissConfig
{
    private readonly int _repeated;

    private MissConfig(ConfigFields fields)
    {
        Rank = fields.Integer("r", 1) ?? 64;
        _repeated = fields.Integer("mini_r", 1) ?? 1;
        (IsOnWeights, IsRepeated) = fields.Find("init_weights") switch
        {
            null or { ValueKind: JsonValueKind.True or JsonValueKind.False } => (false, false),
            { ValueKind: JsonValueKind.String } text when text.GetString() is "bat" or "mini" => (text.GetString() == "bat", text.GetString() == "mini"),
            { } value => throw fields.Refuse("init_weights", value, "true, false, bat or mini"),
        };
        Modules = new TargetConfig(fields, "miss_only");
        fields.Ignore("miss_dropout");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>How many sums the inputs are brought to, or the side of a tile of the weight.</summary>
    public int Rank { get; }

    /// <summary>Whether tiles of the base's weight are multiplied (<c>bat</c>).</summary>
    public bool IsOnWeights { get; }

    /// <summary>Whether few columns repeat along the outputs (<c>mini</c>).</summary>
    public bool IsRepeated { get; }

    /// <summary>Which modules are edited.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static MissConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Shape of a module's block: [rank, outputs], of which fewer columns where they repeat, or [outputs / rank, rank, rank].</summary>
    /// <param name="module">A targeted module.</param>
    /// <param name="file">For the message.</param>
    /// <exception cref="AdapterFormatException">The module cannot be divided so.</exception>
    public int[] BlockShape(BaseModule module, string file)
    {
        if (Rank > module.Inputs || (long)Rank * Math.Max(module.Inputs, module.Outputs) > Array.MaxLength)
        {
            throw Refuse("a rank (r) of at most the inputs");
        }

        if (IsOnWeights)
        {
            return module.Inputs % Rank == 0 && module.Outputs % Rank == 0 ? [module.Outputs / Rank, Rank, Rank] : throw Refuse("both to be multiples of the rank (r)");
        }

        return !IsRepeated ? [Rank, module.Outputs]
            : module.Outputs % _repeated == 0 ? [Rank, _repeated]
            : throw Refuse($"the outputs to be a multiple of mini_r, which is {_repeated}");

        AdapterFormatException Refuse(string expected) =>
            new($"{file}: the rank is {Rank}, and {module.Path} is [{module.Outputs}, {module.Inputs}] in the base; expected {expected}. Load it on the base it was made for, or correct the configuration.");
    }
}

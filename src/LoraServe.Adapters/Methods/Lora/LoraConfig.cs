using System.Text.Json;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>An <c>adapter_config.json</c> of peft_type LORA. What would change the result and is not supported is refused by name.</summary>
internal sealed class LoraConfig
{
    private readonly RankPatterns _ranks;
    private readonly bool _rankStabilized;

    private LoraConfig(ConfigFields fields)
    {
        _ranks = new RankPatterns(fields, "lora_alpha");
        _rankStabilized = fields.Flag("use_rslora", false);
        UsesDora = fields.Flag("use_dora", false);
        HasLoraBias = fields.Flag("lora_bias", false);
        if (UsesDora && HasLoraBias)
        {
            throw new AdapterFormatException($"{fields.File}: use_dora and lora_bias are both true; expected at most one of them. Export the adapter again.");
        }

        Modules = new TargetConfig(fields, "lora_only");
        InvocationTokens = fields.Integers("alora_invocation_tokens") ?? [];
        Initialization = ReadInitialization(fields);
        (LoftqIterations, BlockDiagonal) = (ReadLoftqIterations(fields), BlockDiagonalConfig.Read(fields));
        UsesKasa = fields.Group("kasa_config", "beta", "gamma") is not null;
        Sampling = SamplingConfig.Read(fields);
        PooledGroup = fields.Flag("use_qalora", false) ? fields.Integer("qalora_group_size", 1) ?? 16 : null;
        if (UsesDora && (UsesKasa || PooledGroup is not null))
        {
            throw new AdapterFormatException($"{fields.File}: use_dora is true together with {(UsesKasa ? "kasa_config" : "use_qalora")}; expected at most one of them. Export the adapter again.");
        }

        RefuseTheRest(fields);
    }

    /// <summary>Which modules have a low-rank pair or are stored whole.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Tokens that activate the adapter (aLoRA).</summary>
    public int[] InvocationTokens { get; }

    /// <summary>Whether weights are decomposed into magnitude and direction.</summary>
    public bool UsesDora { get; }

    /// <summary>Whether B has a bias.</summary>
    public bool HasLoraBias { get; }

    /// <summary>What the base must become first.</summary>
    public LoraInitialization Initialization { get; }

    /// <summary>Rounds of LoftQ.</summary>
    public int LoftqIterations { get; }

    /// <summary>Which factors are block-diagonal; null: none.</summary>
    public BlockDiagonalConfig? BlockDiagonal { get; }

    /// <summary>Whether the least singular values of the base are taken away, and the pair has values between its factors (KaSA).</summary>
    public bool UsesKasa { get; }

    /// <summary>How many inputs A takes the mean of (QA-LoRA); null: it takes each.</summary>
    public int? PooledGroup { get; }

    /// <summary>What the file keeps for training alone.</summary>
    public SamplingConfig Sampling { get; }

    /// <summary>The variant of which training is another than that of a pair on the base as it is; null: it can be trained.</summary>
    public string? ServedOnly =>
        InvocationTokens.Length > 0 ? "aLoRA"
        : UsesKasa ? "KaSA"
        : PooledGroup is not null ? "QA-LoRA"
        : Sampling.Method ?? Initialization switch
        {
            LoraInitialization.Loftq => "LoftQ",
            LoraInitialization.Mica => "MiCA",
            _ => BlockDiagonal is not null ? "BD-LoRA" : null,
        };

    /// <summary>The method's usual name.</summary>
    public string Method => (UsesDora && InvocationTokens.Length == 0 ? "DoRA" : ServedOnly) ?? Initialization switch
    {
        LoraInitialization.Pissa => "PiSSA",
        LoraInitialization.Olora => "OLoRA",
        _ => _rankStabilized ? "rsLoRA" : "LoRA",
    };

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static LoraConfig Read(ConfigFields fields) => new(fields);

    /// <summary>The rank of a module's pair.</summary>
    public int Rank(string path) => _ranks.Rank(path);

    /// <summary>The factor of a module's pair: alpha / r, rank-stabilised alpha / √r.</summary>
    public float Scale(string path) => _rankStabilized ? (float)(_ranks.Alpha(path) / Math.Sqrt(Rank(path))) : _ranks.Scale(path);

    private static LoraInitialization ReadInitialization(ConfigFields fields)
    {
        const string Field = "init_lora_weights";
        return fields.Find(Field) switch
        {
            null or { ValueKind: JsonValueKind.True or JsonValueKind.False } => LoraInitialization.Original,
            { ValueKind: JsonValueKind.String } text => text.GetString() switch
            {
                "gaussian" or "eva" or "orthogonal" => LoraInitialization.Original,
                "pissa" => LoraInitialization.Pissa,
                "olora" => LoraInitialization.Olora,
                "loftq" => LoraInitialization.Loftq,
                "mica" => LoraInitialization.Mica,
                _ => throw fields.Refuse(Field, text, "true, false, gaussian, eva, orthogonal, mica, pissa, olora or loftq: others change the base in a way that the file does not tell; save the adapter converted to plain LoRA (path_initial_model_for_weight_conversion)"),
            },
            { } value => throw fields.Refuse(Field, value, "a flag or a name"),
        };
    }

    private static int ReadLoftqIterations(ConfigFields fields)
    {
        const string Field = "loftq_config";
        int iterations = 1;
        foreach (JsonProperty entry in fields.Entries(Field))
        {
            string name = $"{Field}.{entry.Name}";
            switch (entry.Name)
            {
                case "loftq_iter":
                    iterations = fields.Integer(name, entry.Value, 1);
                    break;
                case "loftq_bits" when fields.Integer(name, entry.Value, 1) != 4:
                    throw fields.Refuse(name, entry.Value, "4");
            }
        }

        return iterations <= 64 ? iterations : throw new AdapterFormatException($"{fields.File}: loftq_iter is {iterations}; expected at most 64.");
    }

    private static void RefuseTheRest(ConfigFields fields)
    {
        fields.RequireUnset("layer_replication", "the base is served with the layers that it has");
        fields.RequireUnset("target_parameters", "only modules are edited");
        fields.RequireUnset("arrow_config", "Arrow chooses among the adapters of other files, token by token; load those by themselves, or as a stack with weights");

        // What only training, loading elsewhere or the layout of another module class reads.
        fields.Ignore(
            "lora_dropout", "megatron_config", "megatron_core", "eva_config", "corda_config", "lora_ga_config", "qalora_group_size", "ensure_weight_tying",
            "unsloth_fixed", "merge_weights");
        PeftConfig.RefuseTheRest(fields);
    }
}

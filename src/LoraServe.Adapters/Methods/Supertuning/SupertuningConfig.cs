using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Supertuning;

/// <summary>An <c>adapter_config.json</c> of peft_type SUPERTUNING.</summary>
internal sealed class SupertuningConfig
{
    private const double UsualSparsity = 0.99;
    private readonly double _sparsity;

    private SupertuningConfig(ConfigFields fields)
    {
        _sparsity = fields.Number("sparsity") ?? UsualSparsity;
        if (_sparsity is < 0 or >= 1)
        {
            throw fields.Refuse("sparsity", fields.Find("sparsity")!.Value, "a number from 0 to below 1");
        }

        SelectsGreatest = fields.Flag("select_top", true);
        Rank = fields.Integer("r", 1);
        double? alpha = fields.Number("lora_alpha");
        if (Rank is null != alpha is null)
        {
            throw new AdapterFormatException($"{fields.File}: field '{(Rank is null ? "lora_alpha" : "r")}' is set without '{(Rank is null ? "r" : "lora_alpha")}'; expected both or none. Export the adapter again.");
        }

        Scale = (float)((alpha ?? 0) / (Rank ?? 1));
        Modules = new TargetConfig(fields);

        // Whether the elements are stored shows in the file.
        fields.Ignore("lora_dropout", "init_weights", "save_precomputed_indices");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Whether the elements of the greatest magnitude are changed, and not those of the least.</summary>
    public bool SelectsGreatest { get; }

    /// <summary>Rank of a pair beside the elements (Supra); null: none.</summary>
    public int? Rank { get; }

    /// <summary>Factor of the pair.</summary>
    public float Scale { get; }

    /// <summary>Which modules are changed.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static SupertuningConfig Read(ConfigFields fields) => new(fields);

    /// <summary>How many elements of a module are changed.</summary>
    /// <param name="module">A targeted module.</param>
    /// <param name="file">For the message.</param>
    /// <exception cref="AdapterFormatException">None.</exception>
    public int Count(BaseModule module, string file)
    {
        long elements = (long)module.Outputs * module.Inputs;
        long count = (long)(elements * (1 - _sparsity));
        return count >= 1
            ? checked((int)count)
            : throw new AdapterFormatException($"{file}: sparsity is {_sparsity}, which leaves none of the {elements} elements of {module.Path}; expected at least one. Lower it, or load it on the base it was made for.");
    }
}

using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.VbLora;

/// <summary>An <c>adapter_config.json</c> of peft_type VBLORA.</summary>
internal sealed class VbLoraConfig
{
    private const int MostChosen = 256;

    private VbLoraConfig(ConfigFields fields)
    {
        Rank = fields.Integer("r", 1) ?? 4;
        Vectors = fields.Integer("num_vectors", 1) ?? 256;
        Length = fields.Integer("vector_length", 1) ?? 256;
        Chosen = fields.Integer("topk", 1) ?? 2;
        SavesChosenAlone = fields.Flag("save_only_topk_weights", false);
        Modules = new TargetConfig(fields, "vblora_only");
        if (Chosen > Math.Min(Vectors, MostChosen))
        {
            throw new AdapterFormatException($"{fields.File}: field 'topk' is {Chosen}; expected at most {Math.Min(Vectors, MostChosen)}, with {Vectors} vectors in the bank. Correct the field or save the adapter again.");
        }

        fields.Ignore("vblora_dropout", "init_vector_bank_bound", "init_logits_std", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Rank of every pair.</summary>
    public int Rank { get; }

    /// <summary>Vectors in the bank.</summary>
    public int Vectors { get; }

    /// <summary>Elements of a vector, and so of a part of a factor.</summary>
    public int Length { get; }

    /// <summary>How many vectors make a part.</summary>
    public int Chosen { get; }

    /// <summary>Whether the file has the chosen vectors and their weights instead of logits of all.</summary>
    public bool SavesChosenAlone { get; }

    /// <summary>Which modules are edited.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static VbLoraConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Refuses a module that vectors cannot be laid end to end in, or to which the rank is no low one.</summary>
    /// <param name="module">A targeted module.</param>
    /// <param name="file">For the message.</param>
    /// <exception cref="AdapterFormatException">It is refused.</exception>
    public void Check(BaseModule module, string file)
    {
        if (module.Inputs % Length != 0 || module.Outputs % Length != 0 || Rank > Math.Min(module.Inputs, module.Outputs))
        {
            throw new AdapterFormatException($"{file}: vectors have length {Length} and the rank is {Rank}, and {module.Path} is [{module.Outputs}, {module.Inputs}] in the base; expected a length that divides both (vector_length) and a rank (r) of at most the lesser.");
        }
    }
}

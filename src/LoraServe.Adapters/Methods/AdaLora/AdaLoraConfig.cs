using System.Text.Json;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.AdaLora;

/// <summary>An <c>adapter_config.json</c> of peft_type ADALORA.</summary>
internal sealed class AdaLoraConfig
{
    private readonly Dictionary<string, int> _ranks;

    private AdaLoraConfig(ConfigFields fields)
    {
        InitialRank = fields.Integer("init_r", 1) ?? 12;
        double alpha = fields.Number("lora_alpha") ?? 8;

        // A vanishing summand keeps PEFT's division by a rank that training may have brought to zero.
        Scale = (float)((alpha > 0 ? alpha : InitialRank) / (InitialRank + 1e-5));
        _ranks = fields.Entries("rank_pattern").ToDictionary(entry => entry.Name, entry => CountKept(fields, entry));
        Modules = new TargetConfig(fields, "lora_only");
        foreach (string name in (string[])["use_dora", "use_qalora", "use_bdlora", "lora_bias", "layer_replication", "target_parameters", "alpha_pattern",
            "alora_invocation_tokens", "kasa_config", "arrow_config", "velora_config", "monteclora_config"])
        {
            fields.RequireUnset(name, "AdaLoRA has no such part");
        }

        // What only training reads, or LoRA and not AdaLoRA.
        fields.Ignore(
            "r", "target_r", "tinit", "tfinal", "deltaT", "total_step", "beta1", "beta2", "orth_reg_weight", "lora_dropout", "init_lora_weights", "use_rslora",
            "loftq_config", "eva_config", "corda_config", "lora_ga_config", "megatron_config", "megatron_core", "qalora_group_size", "ensure_weight_tying");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Rank of every pair before training takes ranks away.</summary>
    public int InitialRank { get; }

    /// <summary>Factor of every pair.</summary>
    public float Scale { get; }

    /// <summary>Which modules have a pair or are stored whole.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static AdaLoraConfig Read(ConfigFields fields) => new(fields);

    /// <summary>The ranks that a module has kept.</summary>
    public int Rank(string path) => _ranks.TryGetValue($"{path}.lora_E", out int rank) ? rank : InitialRank;

    private static int CountKept(ConfigFields fields, JsonProperty entry)
    {
        string name = $"rank_pattern.{entry.Name}";
        return entry.Value.ValueKind == JsonValueKind.Array
            ? entry.Value.EnumerateArray().Count(item => item.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => throw fields.Refuse(name, item, "true or false in the list"),
            })
            : throw fields.Refuse(name, entry.Value, "a list of true and false");
    }
}

using System.Globalization;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gguf;

namespace LoraServe.Models.Config;

/// <summary>What a kind of file calls a model's parameters; <c>.weight</c> and <c>.bias</c> follow.</summary>
internal sealed record ParameterNames
{
    /// <summary>Hugging Face's names, as nearly all families have them.</summary>
    public static ParameterNames HuggingFace { get; } = new()
    {
        Layers = "model.layers.",
        Linears = new()
        {
            [SiteRole.Query] = "self_attn.q_proj",
            [SiteRole.Key] = "self_attn.k_proj",
            [SiteRole.Value] = "self_attn.v_proj",
            [SiteRole.QueryKeyValue] = "self_attn.qkv_proj",
            [SiteRole.Output] = "self_attn.o_proj",
            [SiteRole.Gate] = "mlp.gate_proj",
            [SiteRole.Up] = "mlp.up_proj",
            [SiteRole.GateUp] = "mlp.gate_up_proj",
            [SiteRole.Down] = "mlp.down_proj",
            [SiteRole.Router] = "mlp.gate",
            [SiteRole.ExpertGate] = "mlp.experts.*.gate_proj",
            [SiteRole.ExpertUp] = "mlp.experts.*.up_proj",
            [SiteRole.ExpertDown] = "mlp.experts.*.down_proj",
        },
        Norms = new()
        {
            [NormRole.Attention] = "input_layernorm",
            [NormRole.Mlp] = "post_attention_layernorm",
            [NormRole.Query] = "self_attn.q_norm",
            [NormRole.Key] = "self_attn.k_norm",
        },
        FinalNorm = "model.norm",
        Head = "lm_head",
        Table = "model.embed_tokens",
    };

    /// <summary>GGUF's names for the same; of experts the files hold one tensor for all of a layer.</summary>
    public static ParameterNames Gguf { get; } = new()
    {
        Layers = GgufTensorNames.Layers,
        Linears = new(GgufTensorNames.Linears),
        Norms = new()
        {
            [NormRole.Attention] = "attn_norm",
            [NormRole.Mlp] = "ffn_norm",
            [NormRole.AfterAttention] = "post_attention_norm",
            [NormRole.AfterMlp] = "post_ffw_norm",
            [NormRole.Query] = "attn_q_norm",
            [NormRole.Key] = "attn_k_norm",
        },
        FinalNorm = "output_norm",
        Head = GgufTensorNames.Head,
        Table = GgufTensorNames.Table,
        Positions = GgufTensorNames.Positions,
    };

    /// <summary>What stands before a layer's number.</summary>
    public required string Layers { get; init; }

    /// <summary>A layer's linear maps; <c>*</c> stands for an expert's number.</summary>
    public required Dictionary<SiteRole, string> Linears { get; init; }

    /// <summary>A layer's norms.</summary>
    public required Dictionary<NormRole, string> Norms { get; init; }

    /// <summary>The norm before the head.</summary>
    public required string FinalNorm { get; init; }

    /// <summary>The head.</summary>
    public required string Head { get; init; }

    /// <summary>The token table.</summary>
    public required string Table { get; init; }

    /// <summary>The table of learned positions; empty where there is none.</summary>
    public string Positions { get; init; } = "";

    /// <summary>Paths of what is in no layer.</summary>
    public string[] OfNoLayer => Positions.Length == 0 ? [Table, FinalNorm, Head] : [Table, Positions, FinalNorm, Head];

    /// <summary>The full name of a linear map, the head or a table.</summary>
    public string Of(Site site) => site.Role switch
    {
        SiteRole.Head => Head,
        SiteRole.Embedding => Table,
        SiteRole.Positions => Positions,
        _ => $"{Layers}{site.Layer}.{Linears[site.Role].Replace("*", site.Expert.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)}",
    };

    /// <summary>The full name of a norm.</summary>
    public string Of(NormSite site) => site.Role == NormRole.Final ? FinalNorm : $"{Layers}{site.Layer}.{Norms[site.Role]}";
}

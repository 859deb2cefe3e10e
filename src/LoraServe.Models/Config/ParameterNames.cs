using System.Collections.Immutable;
using LoraServe.Adapters.Edits;

namespace LoraServe.Models.Config;

/// <summary>What a kind of file calls a model's parameters; <c>.weight</c> and <c>.bias</c> follow.</summary>
internal sealed record ParameterNames
{
    /// <summary>Hugging Face's names for a decoder with separate projections.</summary>
    public static ParameterNames HuggingFace { get; } = new()
    {
        Layers = "model.layers.",
        Linears = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"],
        LayerNorms = new() { [NormRole.Attention] = "input_layernorm", [NormRole.Mlp] = "post_attention_layernorm" },
        FinalNorm = "model.norm",
        Head = "lm_head",
        Table = "model.embed_tokens",
    };

    /// <summary>GGUF's names for the same.</summary>
    public static ParameterNames Gguf { get; } = new()
    {
        Layers = "blk.",
        Linears = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"],
        LayerNorms = new() { [NormRole.Attention] = "attn_norm", [NormRole.Mlp] = "ffn_norm" },
        FinalNorm = "output_norm",
        Head = "output",
        Table = "token_embd",
    };

    /// <summary>What stands before a layer's number.</summary>
    public required string Layers { get; init; }

    /// <summary>The layer's linear maps, indexed by <see cref="SiteRole"/> from Query to Down.</summary>
    public required ImmutableArray<string> Linears { get; init; }

    /// <summary>The layer's norms.</summary>
    public required Dictionary<NormRole, string> LayerNorms { get; init; }

    /// <summary>The norm before the head.</summary>
    public required string FinalNorm { get; init; }

    /// <summary>The head.</summary>
    public required string Head { get; init; }

    /// <summary>The token table.</summary>
    public required string Table { get; init; }

    /// <summary>The full name of a linear map, the head or the table.</summary>
    public string Of(Site site) => site.Role switch
    {
        SiteRole.Head => Head,
        SiteRole.Embedding => Table,
        _ => $"{Layers}{site.Layer}.{Linears[(int)site.Role]}",
    };

    /// <summary>The full name of a norm.</summary>
    public string Of(NormSite site) => site.Role == NormRole.Final ? FinalNorm : $"{Layers}{site.Layer}.{LayerNorms[site.Role]}";
}

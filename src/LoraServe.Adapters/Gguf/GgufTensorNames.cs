using System.Globalization;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Gguf;

/// <summary>GGUF's names of linear maps and tables, as in llama.cpp's <c>llama-arch.cpp</c>; <c>.weight</c> and <c>.bias</c> follow. Of experts files hold one tensor for all of a layer.</summary>
public static class GgufTensorNames
{
    /// <summary>What stands before a layer's number.</summary>
    public const string Layers = "blk.";

    /// <summary>The head.</summary>
    public const string Head = "output";

    /// <summary>The token table.</summary>
    public const string Table = "token_embd";

    /// <summary>The table of learned positions.</summary>
    public const string Positions = "position_embd";

    /// <summary>A layer's linear maps.</summary>
    public static IReadOnlyDictionary<SiteRole, string> Linears { get; } = new Dictionary<SiteRole, string>
    {
        [SiteRole.Query] = "attn_q",
        [SiteRole.Key] = "attn_k",
        [SiteRole.Value] = "attn_v",
        [SiteRole.QueryKeyValue] = "attn_qkv",
        [SiteRole.Output] = "attn_output",
        [SiteRole.Gate] = "ffn_gate",
        [SiteRole.Up] = "ffn_up",
        [SiteRole.GateUp] = "ffn_up",
        [SiteRole.Down] = "ffn_down",
        [SiteRole.Router] = "ffn_gate_inp",
        [SiteRole.ExpertGate] = "ffn_gate_exps",
        [SiteRole.ExpertUp] = "ffn_up_exps",
        [SiteRole.ExpertDown] = "ffn_down_exps",
    };

    /// <summary>The name of a linear map, the head or a table.</summary>
    public static string Of(Site site) => site.Role switch
    {
        SiteRole.Head => Head,
        SiteRole.Embedding => Table,
        SiteRole.Positions => Positions,
        _ => string.Create(CultureInfo.InvariantCulture, $"{Layers}{site.Layer}.{Linears[site.Role]}"),
    };
}

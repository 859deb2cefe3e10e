using System.Globalization;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Gguf;

/// <summary>Names of llama.cpp's adapter format, as in its <c>llama-adapter.cpp</c> and <c>convert_lora_to_gguf.py</c>.</summary>
internal static class GgufLoraFormat
{
    /// <summary>Key of the base's architecture.</summary>
    public const string ArchitectureKey = "general.architecture";

    /// <summary>Key of what the file is: <see cref="Type"/>.</summary>
    public const string TypeKey = "general.type";

    /// <summary>An adapter.</summary>
    public const string Type = "adapter";

    /// <summary>Key of the adapter's method: <see cref="Method"/>.</summary>
    public const string MethodKey = "adapter.type";

    /// <summary>LoRA.</summary>
    public const string Method = "lora";

    /// <summary>Key of alpha, one for all pairs: a pair's scale is alpha over its rank, and 1 where alpha is 0.</summary>
    public const string AlphaKey = "adapter.lora.alpha";

    /// <summary>Key of the tokens that activate an aLoRA adapter.</summary>
    public const string InvocationTokensKey = "adapter.alora.invocation_tokens";

    /// <summary>What follows the edited tensor's name in the name of A.</summary>
    public const string A = ".lora_a";

    /// <summary>What follows the edited tensor's name in the name of B.</summary>
    public const string B = ".lora_b";

    /// <summary>GGUF's name of the tensor that a pair edits.</summary>
    public static string NameOf(Site site) => site.Role switch
    {
        SiteRole.Query => Layer(site, "attn_q"),
        SiteRole.Key => Layer(site, "attn_k"),
        SiteRole.Value => Layer(site, "attn_v"),
        SiteRole.QueryKeyValue => Layer(site, "attn_qkv"),
        SiteRole.Output => Layer(site, "attn_output"),
        SiteRole.Gate => Layer(site, "ffn_gate"),
        SiteRole.Up or SiteRole.GateUp => Layer(site, "ffn_up"),
        SiteRole.Down => Layer(site, "ffn_down"),
        SiteRole.Router => Layer(site, "ffn_gate_inp"),
        SiteRole.ExpertGate => Layer(site, "ffn_gate_exps"),
        SiteRole.ExpertUp => Layer(site, "ffn_up_exps"),
        SiteRole.ExpertDown => Layer(site, "ffn_down_exps"),
        SiteRole.Head => "output.weight",
        SiteRole.Positions => "position_embd.weight",
        _ => "token_embd.weight",
    };

    private static string Layer(Site site, string name) => string.Create(CultureInfo.InvariantCulture, $"blk.{site.Layer}.{name}.weight");
}

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
    public static string NameOf(Site site) => $"{GgufTensorNames.Of(site)}.weight";
}

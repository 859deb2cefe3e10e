namespace LoraServe.Adapters.Edits;

/// <summary>Where what a layer's queries read from an adapter's own keys and values is added.</summary>
public enum PromptPlace
{
    /// <summary>To what attention gives, before the output projection: Llama's form.</summary>
    BeforeOutput,

    /// <summary>To the residual stream, beside what the output projection adds: GPT-2's form, in which heads are together as wide as the stream.</summary>
    AfterOutput,
}

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>How a LoRA adapter's training began, as far as the base to which it belongs depends on it.</summary>
internal enum LoraInitialization
{
    /// <summary>The base is the original one.</summary>
    Original,

    /// <summary>The base is what the greatest singular values leave of it.</summary>
    Pissa,

    /// <summary>The base is what the first columns of its QR decomposition leave of it.</summary>
    Olora,

    /// <summary>The base is its NF4 quantisation.</summary>
    Loftq,

    /// <summary>The least left singular vectors of the base, which stay, and zeros; both are in the file.</summary>
    Mica,
}

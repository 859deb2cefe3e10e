using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.TrainableTokens;

/// <summary>Trainable tokens, which no name stands for: LoRA trains rows of tables beside its pairs.</summary>
internal static class TrainableTokensMethod
{
    /// <summary>The method.</summary>
    public static Method TrainableTokens { get; } = new()
    {
        Type = "TRAINABLE_TOKENS",
        Read = TrainableTokensReader.Read,
        Train = (config, model, _) => new TrainableTokenRows(config, model),
    };
}

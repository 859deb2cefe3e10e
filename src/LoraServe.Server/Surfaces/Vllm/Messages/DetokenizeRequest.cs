namespace LoraServe.Server.Surfaces.Vllm.Messages;

/// <summary>Tokens to be made into a text.</summary>
internal sealed record DetokenizeRequest
{
    /// <summary>Taken and not used: all adapters have the base's tokens.</summary>
    public string? Model { get; init; }

    public IReadOnlyList<int>? Tokens { get; init; }
}

/// <summary>The text of tokens.</summary>
internal sealed record DetokenizeAnswer(string Prompt);

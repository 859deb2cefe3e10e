using LoraServe.Server.Surfaces.OpenAi.Messages;

namespace LoraServe.Server.Surfaces.Vllm.Messages;

/// <summary>A text, or a conversation, to be made into tokens.</summary>
internal sealed record TokenizeRequest
{
    /// <summary>Whose chat template writes a conversation; the base's where it is not sent.</summary>
    public string? Model { get; init; }

    public string? Prompt { get; init; }

    public IReadOnlyList<ChatMessage>? Messages { get; init; }

    /// <summary>Whether a prompt gets the tokens around a text. True by default; a conversation has what its template writes.</summary>
    public bool? AddSpecialTokens { get; init; }

    public bool? ReturnTokenStrs { get; init; }
}

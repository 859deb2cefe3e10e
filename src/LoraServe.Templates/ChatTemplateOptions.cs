using System.Text.Json;

namespace LoraServe.Templates;

/// <summary>What a chat template is given besides the messages.</summary>
public sealed record ChatTemplateOptions
{
    /// <summary>Whether the text ends with the opening of the assistant's turn.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>The text of the token that begins a sequence; None in the template when null.</summary>
    public string? BosToken { get; init; }

    /// <summary>The text of the token that ends a sequence; None in the template when null.</summary>
    public string? EosToken { get; init; }

    /// <summary>Tool descriptions, a JSON array; None in the template when null.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Documents to answer from, a JSON array; None in the template when null.</summary>
    public JsonElement? Documents { get; init; }

    /// <summary>Further variables, such as <c>enable_thinking</c>; they win over the ones above.</summary>
    public IReadOnlyDictionary<string, object?>? Extra { get; init; }
}

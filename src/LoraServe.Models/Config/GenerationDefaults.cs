using System.Collections.Immutable;

namespace LoraServe.Models.Config;

/// <summary>What the model's files say about generating with it.</summary>
public sealed record GenerationDefaults
{
    /// <summary>The tokens that end an answer; empty where the files name none.</summary>
    public ImmutableArray<int> EndTokens { get; init; } = [];

    /// <summary>The token that a text begins with, or null.</summary>
    public int? BeginToken { get; init; }

    /// <summary>The end token's text, <c>eos_token</c> in chat templates, or null.</summary>
    public string? EndTokenText { get; init; }

    /// <summary>The begin token's text, <c>bos_token</c> in chat templates, or null.</summary>
    public string? BeginTokenText { get; init; }
}

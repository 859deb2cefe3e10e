using System.Collections.Immutable;

namespace LoraServe.Models.Config;

/// <summary>What the model's files say about generating with it.</summary>
public sealed record GenerationDefaults
{
    /// <summary>What closes an answer that no chat template closes; null where the files name no end.</summary>
    public int? EndToken { get; init; }

    /// <summary>The tokens that end an answer, of whatever closes answers that are learnt; empty where the files name none.</summary>
    public ImmutableArray<int> EndTokens { get; init; } = [];

    /// <summary>The token that a text begins with, or null.</summary>
    public int? BeginToken { get; init; }
}

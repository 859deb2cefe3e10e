namespace LoraServe.Serving.Requests;

/// <summary>Asks for one vector for each text: pooled hidden states after the final norm.</summary>
public sealed record EmbedRequest : RequestOptions
{
    /// <summary>The texts.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>Instead of <see cref="Inputs"/>: their tokens.</summary>
    public IReadOnlyList<IReadOnlyList<int>> InputTokens { get; init; } = [];

    /// <summary>How a text's rows become one vector.</summary>
    public Pooling Pooling { get; init; }

    /// <summary>Scales vectors to length 1.</summary>
    public bool Normalize { get; init; }
}

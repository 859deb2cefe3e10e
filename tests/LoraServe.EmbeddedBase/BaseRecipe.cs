namespace LoraServe.EmbeddedBase;

/// <summary>Everything that decides what the embedded base becomes, beside the data.</summary>
internal sealed record BaseRecipe
{
    /// <summary>What the first weights, the mix of rows and their order are drawn from.</summary>
    public int Seed { get; init; } = 4;

    /// <summary>Tokens of the vocabulary: begin and end of text, 256 bytes, and what merges make of them.</summary>
    public int VocabularySize { get; init; } = 1536;

    /// <summary>Width of the residual stream.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Width of the MLP's inside.</summary>
    public int FeedForwardWidth { get; init; } = 352;

    /// <summary>Layers.</summary>
    public int Layers { get; init; } = 5;

    /// <summary>Query heads; a head has width / heads elements.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Heads of keys and values, each shared by as many query heads.</summary>
    public int KeyValueHeads { get; init; } = 2;

    /// <summary>Tokens that a sequence may have.</summary>
    public int Context { get; init; } = 512;

    /// <summary>Tokens that a row is cut to in training.</summary>
    public int RowTokens { get; init; } = 128;

    /// <summary>Most rows of each long-winded source (sums, roles), so that the short tasks are not drowned.</summary>
    public int LongRows { get; init; } = 250;

    /// <summary>Tokens of a step.</summary>
    public int BatchTokens { get; init; } = 1024;

    /// <summary>Optimizer steps.</summary>
    public int Steps { get; init; } = 3000;

    /// <summary>The highest learning rate; it falls along half a cosine.</summary>
    public double LearningRate { get; init; } = 4e-3;
}

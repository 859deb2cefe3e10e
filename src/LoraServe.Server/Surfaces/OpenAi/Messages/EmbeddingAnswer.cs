namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>The vectors of an <see cref="EmbeddingRequest"/>.</summary>
internal sealed record EmbeddingAnswer(string Object, IReadOnlyList<EmbeddingItem> Data, string Model, EmbeddingUsage Usage, IReadOnlyList<AnsweringAdapter> Adapters);

/// <summary>The vector of one text.</summary>
internal sealed record EmbeddingItem(string Object, int Index, EmbeddingVector Embedding);

/// <summary>What embedding cost.</summary>
internal sealed record EmbeddingUsage(int PromptTokens, int TotalTokens);

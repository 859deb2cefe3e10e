namespace LoraServe.Serving.Requests;

/// <summary>The vectors of an <see cref="EmbedRequest"/>.</summary>
/// <param name="RequestId">The request's id.</param>
/// <param name="Adapters">What answered.</param>
/// <param name="Vectors">One for each text, as long as the model is wide.</param>
/// <param name="Usage">What it cost.</param>
public sealed record EmbedResult(string RequestId, IReadOnlyList<ServedAdapter> Adapters, IReadOnlyList<ReadOnlyMemory<float>> Vectors, Usage Usage);

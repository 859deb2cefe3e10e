namespace LoraServe.Serving.Requests;

/// <summary>How likely the texts of a <see cref="ScoreRequest"/> are.</summary>
/// <param name="RequestId">The request's id.</param>
/// <param name="Adapters">What answered.</param>
/// <param name="Scores">One for each continuation, or one for the prompt.</param>
public sealed record ScoreResult(string RequestId, IReadOnlyList<ServedAdapter> Adapters, IReadOnlyList<ScoredText> Scores);

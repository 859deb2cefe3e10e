namespace LoraServe.Cli.Evaluation;

/// <summary>One row of a data set: what the model is given and what it should answer, as text.</summary>
/// <param name="Line">Line of the file, from 1.</param>
/// <param name="Kind">Which fields the row had.</param>
/// <param name="Turns">Prompt and answer pairs whose answers are scored: one, or one for each assistant turn of a conversation.</param>
/// <param name="Expected">What an exact match is measured against, without white space around it; null where the kind of row has no exact match.</param>
internal sealed record EvaluationRow(int Line, EvaluationRowKind Kind, IReadOnlyList<EvaluationTurn> Turns, string? Expected);

/// <param name="Prompt">What comes before the answer; empty for plain text.</param>
/// <param name="IsTemplated">Whether the prompt came out of a chat template, whose special tokens are tokens and not text.</param>
/// <param name="Answer">What is scored.</param>
internal sealed record EvaluationTurn(string Prompt, bool IsTemplated, string Answer);

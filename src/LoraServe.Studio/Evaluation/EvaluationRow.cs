using LoraServe.Training.Data;

namespace LoraServe.Studio.Evaluation;

/// <summary>One row of a data set: what the model is given and what it should answer, as text.</summary>
/// <param name="Line">Line of the file, from 1.</param>
/// <param name="Turns">Prompt and answer pairs whose answers are scored: one, or one for each assistant turn of a conversation.</param>
/// <param name="Expected">What an exact match is measured against, without white space around it; null where the kind of row has no exact match.</param>
public sealed record EvaluationRow(int Line, IReadOnlyList<DataTurn> Turns, string? Expected)
{
    /// <summary>Reads the first rows of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">Most rows to read.</param>
    /// <param name="tokenizer">Puts the messages before an answer through the model's chat template.</param>
    /// <param name="format">The form of the rows; by default what their fields say.</param>
    /// <returns>What the file was taken for, and the rows.</returns>
    /// <exception cref="TrainingDataException">A line is no row; names file, line and what is wrong.</exception>
    public static (string Description, IReadOnlyList<EvaluationRow> Rows) Read(string path, int limit, RowTokenizer tokenizer, RowFormat format = RowFormat.Auto)
    {
        using DataFile file = DataFile.Open(path, format);
        return (file.Describe(), [.. Enumerable.Range(0, Math.Min(limit, file.Count)).Select(index => Of(file.Read(index), tokenizer))]);
    }

    private static EvaluationRow Of(DataRow row, RowTokenizer tokenizer) =>
        new(row.Line, tokenizer.Turns(row), row.Kind == DataRowKind.Completion ? row.Answer.Trim() : null);
}

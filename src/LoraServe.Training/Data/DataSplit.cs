namespace LoraServe.Training.Data;

/// <summary>Which rows are trained on and which are kept for evaluation, each in the file's order.</summary>
/// <param name="Training">Rows to learn.</param>
/// <param name="Evaluation">Rows that are never learnt.</param>
internal sealed record DataSplit(IReadOnlyList<int> Training, IReadOnlyList<int> Evaluation)
{
    /// <summary>Splits rows by chance; the same rows and seed give the same split, and rows that are appended change little of it.</summary>
    /// <param name="rows">How many there are.</param>
    /// <param name="evaluationShare">Share of the rows kept for evaluation, from 0 to below 1; above 0, at least one row is kept and one is learnt.</param>
    /// <param name="seed">Decides which.</param>
    /// <exception cref="ArgumentException">The share is out of its range, or there are too few rows to divide.</exception>
    public static DataSplit Of(int rows, double evaluationShare, int seed)
    {
        if (evaluationShare is not (>= 0 and < 1))
        {
            throw new ArgumentException(FormattableString.Invariant($"the share of rows for evaluation is {evaluationShare}; expected 0 to below 1"), nameof(evaluationShare));
        }

        if (evaluationShare == 0)
        {
            return new DataSplit([.. Enumerable.Range(0, rows)], []);
        }

        if (rows < 2)
        {
            throw new ArgumentException($"{rows} rows cannot be split; expected at least 2", nameof(rows));
        }

        int evaluated = Math.Clamp((int)Math.Round(rows * evaluationShare), 1, rows - 1);
        int[] order = [.. Enumerable.Range(0, rows).OrderBy(row => CounterHash.Of(seed, CounterHash.Split, (ulong)row))];
        Array.Sort(order, 0, evaluated);
        Array.Sort(order, evaluated, rows - evaluated);
        return new DataSplit(order[evaluated..], order[..evaluated]);
    }
}

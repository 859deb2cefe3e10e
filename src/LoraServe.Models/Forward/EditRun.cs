namespace LoraServe.Models.Forward;

/// <summary>Adjacent rows that one adapter acts on with one weight.</summary>
/// <param name="FirstRow">The first row.</param>
/// <param name="RowCount">Number of rows.</param>
/// <param name="Adapter">The adapter.</param>
/// <param name="Weight">Factor of everything that it adds.</param>
/// <param name="Depth">Its place in the rows' stack; where runs share rows, they are listed by ascending depth.</param>
public readonly record struct EditRun(int FirstRow, int RowCount, ResidentAdapter Adapter, float Weight, int Depth)
{
    /// <summary>The row after the last.</summary>
    public int EndRow => FirstRow + RowCount;
}

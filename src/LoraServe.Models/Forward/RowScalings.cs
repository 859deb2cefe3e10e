namespace LoraServe.Models.Forward;

/// <summary>What the low-rank pairs of a batch's rows are scaled by, where an adapter has a classifier for that. Reused from step to step.</summary>
public sealed class RowScalings
{
    private readonly List<(int First, int Count)> _rows = [];
    private float[] _values = [];
    private int _count;

    /// <summary>Most scalings of a row; 0 where no row has any.</summary>
    public int Width { get; private set; }

    /// <summary>The scalings of a row of the batch; none where no adapter of its stack has any.</summary>
    public ReadOnlySpan<float> Of(int row) => _values.AsSpan(_rows[row].First, _rows[row].Count);

    internal void Clear()
    {
        _rows.Clear();
        _count = 0;
        Width = 0;
    }

    /// <summary>Adds rows, all with the same scalings for now.</summary>
    internal void Add(int rows, int width, ReadOnlySpan<float> values)
    {
        int needed = checked(_count + (rows * width));
        if (needed > _values.Length)
        {
            Array.Resize(ref _values, Math.Max(needed, _values.Length + (_values.Length / 2)));
        }

        Width = Math.Max(Width, width);
        for (int row = 0; row < rows; row++)
        {
            _rows.Add((_count, width));
            values.CopyTo(_values.AsSpan(_count, width));
            _count += width;
        }
    }

    /// <summary>Gives a row its scalings.</summary>
    internal void Set(int row, ReadOnlySpan<float> values) => values.CopyTo(_values.AsSpan(_rows[row].First, _rows[row].Count));
}

using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Matrices;

/// <summary>A factor of a general product: rows in memory, their transpose, or a packed matrix. Borrows what it is made of.</summary>
public readonly struct GemmOperand
{
    private GemmOperand(int rows, int columns, Rows stored, bool isTransposed, PackedMatrix? matrix)
    {
        Rows = rows;
        Columns = columns;
        Stored = stored;
        IsTransposed = isTransposed;
        Matrix = matrix;
    }

    /// <summary>Extent of the first index.</summary>
    public int Rows { get; }

    /// <summary>Extent of the second index.</summary>
    public int Columns { get; }

    /// <summary>What is in memory, of either orientation; nothing when <see cref="Matrix"/> is.</summary>
    internal Rows Stored { get; }

    /// <summary>Whether <see cref="Stored"/> holds the operand's columns.</summary>
    internal bool IsTransposed { get; }

    internal PackedMatrix? Matrix { get; }

    /// <summary>The rows as they are, [Count, Width].</summary>
    public static GemmOperand Of(Rows m) => new(m.Count, m.Width, m, false, null);

    /// <summary>The transpose, [Width, Count].</summary>
    public static GemmOperand Transposed(Rows m) => new(m.Width, m.Count, m, true, null);

    /// <summary>A weight as [outputs, inputs], of any stored type; its exact values, widened block by block in the cache.</summary>
    public static GemmOperand Of(PackedMatrix m)
    {
        ArgumentNullException.ThrowIfNull(m);
        return m.Format == PanelFormat.Rows ? Of(m.StoredRows) : new GemmOperand(m.Outputs, m.Inputs, default, false, m);
    }
}

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>A part of a product that one thread computes: rows [Row, RowEnd), columns [Column, ColumnEnd).</summary>
internal readonly record struct GemmPiece(int Row, int RowEnd, int Column, int ColumnEnd)
{
    /// <summary>What the first row of a piece is a multiple of: whole tiles and whole panels of every vector width.</summary>
    public const int RowUnit = 48;

    /// <summary>What the first column of a piece is a multiple of: whole tiles of every vector width and whole blocks of integer formats.</summary>
    public const int ColumnUnit = 32;
}

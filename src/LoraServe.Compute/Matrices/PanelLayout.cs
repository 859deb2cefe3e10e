namespace LoraServe.Compute.Matrices;

/// <summary>Sizes and places inside panels.</summary>
internal static class PanelLayout
{
    /// <summary>Inputs that share a scale.</summary>
    public const int BlockInputs = 32;

    /// <summary>Whether the weights are integers with block scales.</summary>
    public static bool IsInteger(this PanelFormat format) => format is PanelFormat.U4 or PanelFormat.U4WithMinimum or PanelFormat.U8;

    /// <summary>Whether inputs lie in blocks of codes with scales.</summary>
    public static bool HasBlocks(this PanelFormat format) => format == PanelFormat.Nf4 || format.IsInteger();

    /// <summary>Bytes of an element of a float format.</summary>
    public static int ElementBytes(this PanelFormat format) => format is PanelFormat.F32 or PanelFormat.Rows ? 4 : 2;

    /// <summary>Bytes of a block's codes, for all lanes.</summary>
    public static int CodeBytes(this PanelFormat format, int lanes) => (format == PanelFormat.U8 ? 32 : 16) * lanes;

    /// <summary>Bytes of a block: codes, scales and minima of all lanes.</summary>
    public static int BlockBytes(this PanelFormat format, int lanes) =>
        format.CodeBytes(lanes) + ((format is PanelFormat.U4WithMinimum or PanelFormat.Nf4 ? 4 : 2) * lanes);

    /// <summary>Bytes of a panel.</summary>
    public static long PanelBytes(this PanelFormat format, int lanes, int inputs) => format.HasBlocks()
        ? (long)inputs / BlockInputs * format.BlockBytes(lanes)
        : (long)inputs * lanes * format.ElementBytes();
}

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>The compile-time choices of an <see cref="IntegerTile{TSimd, TFloat, TInt, TFormat}"/>; one type for each integer panel format.</summary>
internal interface IIntegerFormat
{
    /// <summary>Whether codes have 4 bits rather than 8.</summary>
    static abstract bool IsNibbles { get; }

    /// <summary>Whether blocks have minima rather than a fixed zero point.</summary>
    static abstract bool HasMinimum { get; }
}

/// <summary><see cref="Matrices.PanelFormat.U4"/>.</summary>
internal readonly struct NibbleFormat : IIntegerFormat
{
    public static bool IsNibbles => true;

    public static bool HasMinimum => false;
}

/// <summary><see cref="Matrices.PanelFormat.U4WithMinimum"/>.</summary>
internal readonly struct NibbleWithMinimumFormat : IIntegerFormat
{
    public static bool IsNibbles => true;

    public static bool HasMinimum => true;
}

/// <summary><see cref="Matrices.PanelFormat.U8"/>.</summary>
internal readonly struct ByteFormat : IIntegerFormat
{
    public static bool IsNibbles => false;

    public static bool HasMinimum => false;
}

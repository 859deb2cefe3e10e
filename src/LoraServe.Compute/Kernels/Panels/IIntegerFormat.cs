namespace LoraServe.Compute.Kernels.Panels;

/// <summary>The compile-time choices of an <see cref="IntegerTile{TSimd, TFloat, TInt, TFormat}"/>: what the <see cref="Tensors.CodeForm"/> of a panel format says.</summary>
internal interface IIntegerFormat
{
    /// <summary>Bits of a code.</summary>
    static abstract int Bits { get; }

    /// <summary>Whether blocks have minima rather than a fixed zero point.</summary>
    static virtual bool HasMinimum => false;

    /// <summary>Factors of a group for each of scale and minimum: none, 1, or 2, one for each half.</summary>
    static virtual int Factors => 0;

    /// <summary>Whether codes stand for <see cref="Tensors.Iq4Blocks.Levels"/>.</summary>
    static virtual bool HasLevels => false;
}

/// <summary><see cref="Matrices.PanelFormat.U4"/>.</summary>
internal readonly struct NibbleFormat : IIntegerFormat
{
    public static int Bits => 4;
}

/// <summary><see cref="Matrices.PanelFormat.U4WithMinimum"/>.</summary>
internal readonly struct NibbleWithMinimumFormat : IIntegerFormat
{
    public static int Bits => 4;

    public static bool HasMinimum => true;
}

/// <summary><see cref="Matrices.PanelFormat.U8"/>.</summary>
internal readonly struct ByteFormat : IIntegerFormat
{
    public static int Bits => 8;
}

/// <summary><see cref="Matrices.PanelFormat.U5"/>.</summary>
internal readonly struct FiveBitFormat : IIntegerFormat
{
    public static int Bits => 5;
}

/// <summary><see cref="Matrices.PanelFormat.U5WithMinimum"/>.</summary>
internal readonly struct FiveBitWithMinimumFormat : IIntegerFormat
{
    public static int Bits => 5;

    public static bool HasMinimum => true;
}

/// <summary><see cref="Matrices.PanelFormat.K2"/>.</summary>
internal readonly struct K2Format : IIntegerFormat
{
    public static int Bits => 2;

    public static bool HasMinimum => true;

    public static int Factors => 2;
}

/// <summary><see cref="Matrices.PanelFormat.K3"/>.</summary>
internal readonly struct K3Format : IIntegerFormat
{
    public static int Bits => 3;

    public static int Factors => 2;
}

/// <summary><see cref="Matrices.PanelFormat.K4"/>.</summary>
internal readonly struct K4Format : IIntegerFormat
{
    public static int Bits => 4;

    public static bool HasMinimum => true;

    public static int Factors => 1;
}

/// <summary><see cref="Matrices.PanelFormat.K5"/>.</summary>
internal readonly struct K5Format : IIntegerFormat
{
    public static int Bits => 5;

    public static bool HasMinimum => true;

    public static int Factors => 1;
}

/// <summary><see cref="Matrices.PanelFormat.K6"/>.</summary>
internal readonly struct K6Format : IIntegerFormat
{
    public static int Bits => 6;

    public static int Factors => 2;
}

/// <summary><see cref="Matrices.PanelFormat.Iq4"/>.</summary>
internal readonly struct Iq4Format : IIntegerFormat
{
    public static int Bits => 4;

    public static bool HasLevels => true;
}

/// <summary><see cref="Matrices.PanelFormat.Iq4WithFactors"/>.</summary>
internal readonly struct Iq4WithFactorsFormat : IIntegerFormat
{
    public static int Bits => 4;

    public static bool HasLevels => true;

    public static int Factors => 1;
}

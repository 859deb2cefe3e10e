namespace LoraServe.Compute.Matrices;

/// <summary>How a panel stores its weights: the lanes of a panel are consecutive outputs, and it runs along the inputs.</summary>
/// <remarks>
/// Float formats hold, for each input, one element per lane, except <see cref="Rows"/>. The others hold blocks of 32 inputs: vectors whose 32-bit lanes are
/// four consecutive inputs of one output, one per byte, then the lanes' scales and minima as half precision.
/// </remarks>
internal enum PanelFormat
{
    /// <summary>Single precision.</summary>
    F32,

    /// <summary>Half precision, finite.</summary>
    F16,

    /// <summary>Upper halves of singles.</summary>
    BF16,

    /// <summary>Four vectors of nibbles, low ones inputs 0…15 of the block, high ones 16…31; value = scale · (code − 8).</summary>
    U4,

    /// <summary>As <see cref="U4"/>; value = scale · code + minimum.</summary>
    U4WithMinimum,

    /// <summary>Eight vectors of bytes; value = scale · (code − 128).</summary>
    U8,

    /// <summary>Nibbles as in <see cref="U4"/>, then the lanes' scales as singles; value = <see cref="Nf4.Levels"/>[code] · scale.</summary>
    Nf4,

    /// <summary>Single precision, output after output as in files: put in order where it is used. The last panel ends with the last output.</summary>
    Rows,
}

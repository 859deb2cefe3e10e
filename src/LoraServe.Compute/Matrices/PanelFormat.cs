namespace LoraServe.Compute.Matrices;

/// <summary>How a panel stores its weights: the lanes of a panel are consecutive outputs, and it runs along the inputs.</summary>
/// <remarks>
/// Float formats hold, for each input, one element per lane, except <see cref="Rows"/>. The others hold groups of 32 inputs as vectors whose 32-bit lanes are
/// four consecutive inputs of one output, one per byte; codes below 8 bits as planes of 4, 2 and 1 bits, whose vectors hold what <see cref="PanelPlanes"/> says.
/// A group's factors, a byte a lane, follow its codes. A block, one group or with factors eight, ends with the lanes' scales and minima as half precision.
/// </remarks>
internal enum PanelFormat
{
    /// <summary>Single precision.</summary>
    F32,

    /// <summary>Half precision, finite.</summary>
    F16,

    /// <summary>Upper halves of singles.</summary>
    BF16,

    /// <summary>Four vectors of nibbles, low ones inputs 0…15 of the group, high ones 16…31; value = scale · (code − 8).</summary>
    U4,

    /// <summary>As <see cref="U4"/>; value = scale · code + minimum.</summary>
    U4WithMinimum,

    /// <summary>Eight vectors of bytes; value = scale · (code − 128).</summary>
    U8,

    /// <summary>Nibbles, then one vector of fifth bits; value = scale · (code − 16).</summary>
    U5,

    /// <summary>As <see cref="U5"/>; value = scale · code + minimum.</summary>
    U5WithMinimum,

    /// <summary>Two vectors of 2 bits; factors of scale and minimum for each 16 inputs.</summary>
    K2,

    /// <summary>Two vectors of 2 bits, one of third bits; a factor for each 16 inputs; value = scale · factor · (code − 4).</summary>
    K3,

    /// <summary>Nibbles; factors of scale and minimum for each 32 inputs.</summary>
    K4,

    /// <summary>Nibbles, one vector of fifth bits; factors of scale and minimum for each 32 inputs.</summary>
    K5,

    /// <summary>Nibbles, two vectors of 2 upper bits; a factor for each 16 inputs; value = scale · factor · (code − 32).</summary>
    K6,

    /// <summary>Nibbles; value = scale · <see cref="Tensors.Iq4Blocks.Levels"/>[code].</summary>
    Iq4,

    /// <summary>As <see cref="Iq4"/>, with a factor for each 32 inputs.</summary>
    Iq4WithFactors,

    /// <summary>Nibbles as in <see cref="U4"/>, then the lanes' scales as singles; value = <see cref="Nf4.Levels"/>[code] · scale.</summary>
    Nf4,

    /// <summary>Single precision, output after output as in files: put in order where it is used. The last panel ends with the last output.</summary>
    Rows,
}

namespace LoraServe.Compute.Tensors;

/// <summary>How the elements of a tensor are stored. The block types are GGUF's.</summary>
public enum ElementType
{
    /// <summary>IEEE single precision, 4 bytes.</summary>
    F32,

    /// <summary>IEEE half precision, 2 bytes.</summary>
    F16,

    /// <summary>The upper half of a single, 2 bytes.</summary>
    BF16,

    /// <summary>IEEE double precision, 8 bytes.</summary>
    F64,

    /// <summary>Unsigned byte (also safetensors' BOOL).</summary>
    U8,

    /// <summary>Signed byte.</summary>
    I8,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Blocks of 32: an F16 scale and 32 signed bytes; value = scale · q. 34 bytes.</summary>
    Q8_0,

    /// <summary>Blocks of 32: an F16 scale and 16 bytes of nibbles (low nibbles are elements 0…15, high 16…31); value = scale · (q − 8). 18 bytes.</summary>
    Q4_0,

    /// <summary>Blocks of 32: an F16 scale, an F16 minimum and nibbles as in <see cref="Q4_0"/>; value = scale · q + minimum. 20 bytes.</summary>
    Q4_1,

    /// <summary>Blocks of 32: an F16 scale, 4 bytes of fifth bits and nibbles as in <see cref="Q4_0"/>; value = scale · (q − 16). 22 bytes.</summary>
    Q5_0,

    /// <summary>Blocks of 32: an F16 scale, an F16 minimum, 4 bytes of fifth bits and nibbles; value = scale · q + minimum. 24 bytes.</summary>
    Q5_1,

    /// <summary>Blocks of 256 with an F16 scale and an F16 minimum, each multiplied by 4 bits for every 16; codes of 2 bits. 84 bytes.</summary>
    Q2_K,

    /// <summary>Blocks of 256 with an F16 scale, multiplied by 6 bits for every 16; codes of 3 bits about 4. 110 bytes.</summary>
    Q3_K,

    /// <summary>Blocks of 256 with an F16 scale and an F16 minimum, each multiplied by 6 bits for every 32; codes of 4 bits. 144 bytes.</summary>
    Q4_K,

    /// <summary>Blocks of 256 with an F16 scale and an F16 minimum, each multiplied by 6 bits for every 32; codes of 5 bits. 176 bytes.</summary>
    Q5_K,

    /// <summary>Blocks of 256 with an F16 scale, multiplied by a signed byte for every 16; codes of 6 bits about 32. 210 bytes.</summary>
    Q6_K,

    /// <summary>Blocks of 32: an F16 scale and nibbles that stand for 16 unevenly spaced whole numbers. 18 bytes.</summary>
    IQ4_NL,

    /// <summary>Blocks of 256 with an F16 scale, multiplied by 6 bits for every 32; nibbles as in <see cref="IQ4_NL"/>. 136 bytes.</summary>
    IQ4_XS,

    /// <summary>Floating point of 1 byte with 4 bits of exponent and 3 of mantissa, without infinities. Never without a scale elsewhere.</summary>
    F8_E4M3,

    /// <summary>Floating point of 1 byte with 5 bits of exponent and 2 of mantissa: the upper half of an F16. Never without a scale elsewhere.</summary>
    F8_E5M2,
}

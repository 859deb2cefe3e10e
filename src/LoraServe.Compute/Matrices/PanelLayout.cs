using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Matrices;

/// <summary>What panels of a <see cref="PanelFormat"/> are made of, and so the sizes and places inside them.</summary>
/// <param name="Format">The format.</param>
/// <param name="Element">What a float format stores; null where groups of codes are stored.</param>
/// <param name="Codes">What the codes mean; the default of a float format.</param>
/// <param name="HasLevels">Whether codes stand for values in a table rather than for numbers.</param>
internal sealed record PanelLayout(PanelFormat Format, ElementType? Element, CodeForm Codes = default, bool HasLevels = false)
{
    /// <summary>Inputs that share a scale.</summary>
    public const int BlockInputs = CodeForm.GroupElements;

    private static readonly ImmutableArray<PanelLayout> s_all =
    [
        new(PanelFormat.F32, ElementType.F32),
        new(PanelFormat.F16, ElementType.F16),
        new(PanelFormat.BF16, ElementType.BF16),
        new(PanelFormat.U4, null, new CodeForm(4)),
        new(PanelFormat.U4WithMinimum, null, new CodeForm(4, HasMinimum: true)),
        new(PanelFormat.U8, null, new CodeForm(8)),
        new(PanelFormat.Nf4, null, new CodeForm(4, ScaleBytes: 4), HasLevels: true),
        new(PanelFormat.Rows, ElementType.F32),
    ];

    /// <summary>Outputs of a panel on this machine, chosen once: vectors have 512 bits unless those would slow the clock or are switched off.</summary>
    public static int DefaultLanes { get; } = Vector512.IsHardwareAccelerated && Avx512BW.IsSupported ? 16 : 8;

    /// <summary>Whether the weights are integers with scales.</summary>
    public bool IsInteger => Element is null && !HasLevels;

    /// <summary>The layout of a format.</summary>
    public static PanelLayout Of(PanelFormat format) => s_all[(int)format];

    /// <summary>The panels that hold a stored type exactly, and at its size where there are such; otherwise those of its values in single precision.</summary>
    public static PanelLayout Holding(StoredFormat stored) =>
        s_all.FirstOrDefault(layout => stored.ReadGroup is null ? layout.Element == stored.Type : layout.IsInteger && layout.Codes == stored.Codes) ?? Of(PanelFormat.F32);

    /// <summary>Bytes of a block's codes, for all lanes.</summary>
    public int CodeBytes(int lanes) => BlockInputs * Codes.Bits / 8 * lanes;

    /// <summary>Bytes of a block: codes, scales and minima of all lanes.</summary>
    public int BlockBytes(int lanes) => CodeBytes(lanes) + (Codes.ScaleBytes * (Codes.HasMinimum ? 2 : 1) * lanes);

    /// <summary>Bytes of a panel.</summary>
    public long PanelBytes(int lanes, int inputs) => Element is { } element
        ? (long)inputs * lanes * element.BlockBytes()
        : (long)inputs / BlockInputs * BlockBytes(lanes);
}

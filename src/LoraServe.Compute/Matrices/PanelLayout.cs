using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Matrices;

/// <summary>What panels of a <see cref="PanelFormat"/> are made of, and so the sizes and places inside them.</summary>
/// <param name="Format">The format.</param>
/// <param name="Element">What a float format stores; null where groups of codes are stored.</param>
/// <param name="Codes">What the codes mean; the default of a float format.</param>
/// <param name="HasRealLevels">Whether codes stand for real numbers in a table rather than for whole ones.</param>
internal sealed record PanelLayout(PanelFormat Format, ElementType? Element, CodeForm Codes = default, bool HasRealLevels = false)
{
    /// <summary>Inputs whose codes lie together, and that activations are rounded by.</summary>
    public const int GroupInputs = CodeForm.GroupElements;

    private static readonly ImmutableArray<PanelLayout> s_all =
    [
        new(PanelFormat.F32, ElementType.F32),
        new(PanelFormat.F16, ElementType.F16),
        new(PanelFormat.BF16, ElementType.BF16),
        new(PanelFormat.U4, null, new CodeForm(4)),
        new(PanelFormat.U4WithMinimum, null, new CodeForm(4, HasMinimum: true)),
        new(PanelFormat.U8, null, new CodeForm(8)),
        new(PanelFormat.U5, null, new CodeForm(5)),
        new(PanelFormat.U5WithMinimum, null, new CodeForm(5, HasMinimum: true)),
        new(PanelFormat.K2, null, new CodeForm(2, HasMinimum: true, Factors: 2)),
        new(PanelFormat.K3, null, new CodeForm(3, Factors: 2)),
        new(PanelFormat.K4, null, new CodeForm(4, HasMinimum: true, Factors: 1)),
        new(PanelFormat.K5, null, new CodeForm(5, HasMinimum: true, Factors: 1)),
        new(PanelFormat.K6, null, new CodeForm(6, Factors: 2)),
        new(PanelFormat.Iq4, null, new CodeForm(4, HasLevels: true)),
        new(PanelFormat.Iq4WithFactors, null, new CodeForm(4, HasLevels: true, Factors: 1)),
        new(PanelFormat.Nf4, null, new CodeForm(4, ScaleBytes: 4), HasRealLevels: true),
        new(PanelFormat.Rows, ElementType.F32),
    ];

    /// <summary>Outputs of a panel on this machine, chosen once: vectors have 512 bits unless those would slow the clock or are switched off.</summary>
    public static int DefaultLanes { get; } = Vector512.IsHardwareAccelerated && Avx512BW.IsSupported ? 16 : 8;

    /// <summary>Whether the weights are integers with scales.</summary>
    public bool IsInteger => Element is null && !HasRealLevels;

    /// <summary>The layout of a format.</summary>
    public static PanelLayout Of(PanelFormat format) => s_all[(int)format];

    /// <summary>The panels that hold a stored type exactly, and at its size where there are such; otherwise those of its values in single precision.</summary>
    public static PanelLayout Holding(StoredFormat stored) =>
        s_all.FirstOrDefault(layout => stored.ReadGroup is null ? layout.Element == stored.Type : layout.IsInteger && layout.Codes == stored.Codes) ?? Of(PanelFormat.F32);

    /// <summary>Groups of a block.</summary>
    public int BlockGroups => Codes.BlockElements / GroupInputs;

    /// <summary>Bytes of a group's codes, for all lanes.</summary>
    public int CodeBytes(int lanes) => GroupInputs * Codes.Bits / 8 * lanes;

    /// <summary>Bytes of a group: codes and factors of all lanes.</summary>
    public int GroupBytes(int lanes) => CodeBytes(lanes) + (Codes.Factors * (Codes.HasMinimum ? 2 : 1) * lanes);

    /// <summary>Bytes of a block: groups, then scales and minima of all lanes.</summary>
    public int BlockBytes(int lanes) => (GroupBytes(lanes) * BlockGroups) + (Codes.ScaleBytes * (Codes.HasMinimum ? 2 : 1) * lanes);

    /// <summary>Bytes of a panel.</summary>
    public long PanelBytes(int lanes, int inputs) => Element is { } element
        ? (long)inputs * lanes * element.BlockBytes()
        : (long)inputs / Codes.BlockElements * BlockBytes(lanes);
}

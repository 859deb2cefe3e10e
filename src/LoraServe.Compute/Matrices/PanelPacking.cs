using System.Runtime.InteropServices;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Matrices;

/// <summary>Moves one output's weights between the row-major form of files and a lane of a panel.</summary>
internal static unsafe class PanelPacking
{
    /// <summary>Writes a stored row into lane <paramref name="lane"/> of a panel that holds its type.</summary>
    public static void Pack(StoredFormat stored, PanelLayout layout, ReadOnlySpan<byte> row, byte* panel, int lane, int lanes)
    {
        if (stored.ReadGroup is not { } read)
        {
            if (stored.BlockBytes == sizeof(uint))
            {
                Scatter(MemoryMarshal.Cast<byte, uint>(row), (uint*)panel + lane, lanes);
            }
            else
            {
                Scatter(MemoryMarshal.Cast<byte, ushort>(row), (ushort*)panel + lane, lanes);
            }

            return;
        }

        Span<byte> codes = stackalloc byte[CodeForm.GroupElements];
        int groups = stored.BlockElements / CodeForm.GroupElements;
        for (; row.Length > 0; row = row[stored.BlockBytes..], panel += layout.BlockBytes(lanes))
        {
            for (int group = 0; group < groups; group++)
            {
                GroupScales scales = read(row[..stored.BlockBytes], group, codes);
                PackGroup(layout, codes, scales, panel, group, lane, lanes);
            }
        }
    }

    /// <summary>Writes a row of a matrix whose blocks hold whole groups of 32 columns into lane <paramref name="lane"/>.</summary>
    public static void Pack(Nf4Matrix matrix, PanelLayout layout, int row, byte* panel, int lane, int lanes)
    {
        Span<byte> codes = stackalloc byte[CodeForm.GroupElements];
        for (int column = 0; column < matrix.Columns; column += CodeForm.GroupElements, panel += layout.BlockBytes(lanes))
        {
            long start = ((long)row * matrix.Columns) + column;
            for (int i = 0; i < codes.Length; i++)
            {
                codes[i] = (byte)matrix.CodeAt(start + i);
            }

            PackGroup(layout, codes, new GroupScales(matrix.ScaleAt(start)), panel, 0, lane, lanes);
        }
    }

    /// <summary>Reads lane <paramref name="lane"/> as float32, with the same roundings as decoding the stored row.</summary>
    public static void Unpack(PanelLayout layout, byte* panel, int lane, int lanes, Span<float> destination)
    {
        switch (layout.Format)
        {
            case PanelFormat.F32:
                for (int k = 0; k < destination.Length; k++)
                {
                    destination[k] = ((float*)panel)[(k * lanes) + lane];
                }

                break;
            case PanelFormat.Rows:
                new ReadOnlySpan<float>((float*)panel + ((nint)lane * destination.Length), destination.Length).CopyTo(destination);
                break;
            case PanelFormat.F16:
                for (int k = 0; k < destination.Length; k++)
                {
                    destination[k] = (float)((Half*)panel)[(k * lanes) + lane];
                }

                break;
            case PanelFormat.BF16:
                for (int k = 0; k < destination.Length; k++)
                {
                    destination[k] = BitConverter.UInt32BitsToSingle((uint)((ushort*)panel)[(k * lanes) + lane] << 16);
                }

                break;
            default:
                for (; destination.Length > 0; destination = destination[layout.Codes.BlockElements..], panel += layout.BlockBytes(lanes))
                {
                    for (int group = 0; group < layout.BlockGroups; group++)
                    {
                        UnpackGroup(layout, panel, group, lane, lanes, destination.Slice(group * PanelLayout.GroupInputs, PanelLayout.GroupInputs));
                    }
                }

                break;
        }
    }

    private static void PackGroup(PanelLayout layout, ReadOnlySpan<byte> codes, in GroupScales scales, byte* block, int group, int lane, int lanes)
    {
        byte* start = block + (group * layout.GroupBytes(lanes));
        PanelPlanes.Pack(codes, layout.Codes.Bits, (uint*)start + lane, lanes);
        int factors = layout.Codes.Factors;
        sbyte* factor = (sbyte*)start + layout.CodeBytes(lanes) + lane;
        for (int run = 0; run < factors; run++)
        {
            GroupFactors of = run == 0 ? scales.Lower : scales.Upper;
            factor[run * lanes] = of.Scale;
            if (layout.Codes.HasMinimum)
            {
                factor[(factors + run) * lanes] = of.Minimum;
            }
        }

        byte* ends = block + (layout.BlockGroups * layout.GroupBytes(lanes));
        WriteScale(layout, ends, lane, scales.Scale);
        if (layout.Codes.HasMinimum)
        {
            WriteScale(layout, ends, lanes + lane, scales.Minimum);
        }
    }

    private static void UnpackGroup(PanelLayout layout, byte* block, int group, int lane, int lanes, Span<float> destination)
    {
        Span<byte> codes = stackalloc byte[CodeForm.GroupElements];
        byte* start = block + (group * layout.GroupBytes(lanes));
        PanelPlanes.Unpack((uint*)start + lane, lanes, layout.Codes.Bits, codes);
        byte* ends = block + (layout.BlockGroups * layout.GroupBytes(lanes));
        float scale = ReadScale(layout, ends, lane);
        if (layout.HasRealLevels)
        {
            for (int k = 0; k < destination.Length; k++)
            {
                destination[k] = Nf4.Levels[codes[k]] * scale;
            }

            return;
        }

        GroupFactors lower = ReadFactors(layout, start, 0, lane, lanes);
        GroupFactors upper = layout.Codes.Factors > 1 ? ReadFactors(layout, start, 1, lane, lanes) : lower;
        float minimum = layout.Codes.HasMinimum ? ReadScale(layout, ends, lanes + lane) : 0;
        layout.Codes.Decode(codes, new GroupScales(scale, minimum, lower, upper), destination);
    }

    private static GroupFactors ReadFactors(PanelLayout layout, byte* group, int run, int lane, int lanes)
    {
        int factors = layout.Codes.Factors;
        sbyte* factor = (sbyte*)group + layout.CodeBytes(lanes) + lane;
        return factors == 0
            ? GroupFactors.One
            : new GroupFactors(factor[run * lanes], layout.Codes.HasMinimum ? factor[(factors + run) * lanes] : (sbyte)0);
    }

    private static void WriteScale(PanelLayout layout, byte* scales, int place, float value)
    {
        if (layout.Codes.ScaleBytes == sizeof(float))
        {
            ((float*)scales)[place] = value;
        }
        else
        {
            ((Half*)scales)[place] = (Half)value;
        }
    }

    private static float ReadScale(PanelLayout layout, byte* scales, int place) =>
        layout.Codes.ScaleBytes == sizeof(float) ? ((float*)scales)[place] : (float)((Half*)scales)[place];

    private static void Scatter<T>(ReadOnlySpan<T> row, T* lane, int lanes)
        where T : unmanaged
    {
        for (int k = 0; k < row.Length; k++)
        {
            lane[(nint)k * lanes] = row[k];
        }
    }
}

using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
        for (; row.Length > 0; row = row[stored.BlockBytes..])
        {
            for (int group = 0; group < groups; group++, panel += layout.BlockBytes(lanes))
            {
                GroupScales scales = read(row[..stored.BlockBytes], group, codes);
                PackGroup(layout, codes, scales.Scale, scales.Minimum, panel, lane, lanes);
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

            PackGroup(layout, codes, matrix.ScaleAt(start), 0, panel, lane, lanes);
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
                for (; destination.Length > 0; destination = destination[PanelLayout.BlockInputs..], panel += layout.BlockBytes(lanes))
                {
                    UnpackGroup(layout, panel, lane, lanes, destination[..PanelLayout.BlockInputs]);
                }

                break;
        }
    }

    // Four codes, or four pairs of nibbles, are the bytes of a 32-bit lane; a pair is inputs i (low) and 16 + i.
    private static void PackGroup(PanelLayout layout, Span<byte> codes, float scale, float minimum, byte* block, int lane, int lanes)
    {
        if (layout.Codes.Bits == 4)
        {
            Vector128<byte> low = Vector128.Create<byte>(codes[..16]);
            (low | (Vector128.Create<byte>(codes[16..]) << 4)).CopyTo(codes);
            codes = codes[..16];
        }

        Scatter(MemoryMarshal.Cast<byte, uint>(codes), (uint*)block + lane, lanes);
        byte* scales = block + layout.CodeBytes(lanes);
        WriteScale(layout, scales, lane, scale);
        if (layout.Codes.HasMinimum)
        {
            WriteScale(layout, scales, lanes + lane, minimum);
        }
    }

    private static void UnpackGroup(PanelLayout layout, byte* block, int lane, int lanes, Span<float> destination)
    {
        Span<byte> codes = stackalloc byte[CodeForm.GroupElements];
        for (int i = 0; i < layout.CodeBytes(1); i++)
        {
            codes[i] = block[(((i / 4 * lanes) + lane) * 4) + (i % 4)];
        }

        if (layout.Codes.Bits == 4)
        {
            Vector128<byte> pairs = Vector128.Create<byte>(codes[..16]);
            (pairs & Vector128.Create((byte)15)).CopyTo(codes);
            (pairs >>> 4).CopyTo(codes[16..]);
        }

        byte* scales = block + layout.CodeBytes(lanes);
        float scale = ReadScale(layout, scales, lane);
        if (layout.HasLevels)
        {
            for (int k = 0; k < destination.Length; k++)
            {
                destination[k] = Nf4.Levels[codes[k]] * scale;
            }

            return;
        }

        layout.Codes.Decode(codes, new GroupScales(scale, layout.Codes.HasMinimum ? ReadScale(layout, scales, lanes + lane) : 0), destination);
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

using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace LoraServe.Compute.Matrices;

/// <summary>Moves one output's weights between the row-major form of files and a lane of a panel.</summary>
internal static unsafe class PanelPacking
{
    /// <summary>Writes a stored row (of the type that <paramref name="format"/> is made from) into lane <paramref name="lane"/>.</summary>
    public static void Pack(PanelFormat format, ReadOnlySpan<byte> row, byte* panel, int lane, int lanes)
    {
        switch (format)
        {
            case PanelFormat.F32:
                Scatter(MemoryMarshal.Cast<byte, uint>(row), (uint*)panel + lane, lanes);
                break;
            case PanelFormat.F16 or PanelFormat.BF16:
                Scatter(MemoryMarshal.Cast<byte, ushort>(row), (ushort*)panel + lane, lanes);
                break;
            case PanelFormat.U8:
                PackBytes(row, panel, lane, lanes);
                break;
            default:
                PackNibbles(format, row, panel, lane, lanes);
                break;
        }
    }

    /// <summary>Reads lane <paramref name="lane"/> as float32, with the same roundings as decoding the stored row.</summary>
    public static void Unpack(PanelFormat format, byte* panel, int lane, int lanes, Span<float> destination)
    {
        switch (format)
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
                for (; destination.Length > 0; destination = destination[PanelLayout.BlockInputs..], panel += format.BlockBytes(lanes))
                {
                    UnpackBlock(format, panel, lane, lanes, destination[..PanelLayout.BlockInputs]);
                }

                break;
        }
    }

    /// <summary>Writes a row of a matrix whose blocks hold whole groups of 32 columns into lane <paramref name="lane"/>.</summary>
    public static void Pack(Nf4Matrix matrix, int row, byte* panel, int lane, int lanes)
    {
        for (int column = 0; column < matrix.Columns; column += PanelLayout.BlockInputs, panel += PanelFormat.Nf4.BlockBytes(lanes))
        {
            long start = ((long)row * matrix.Columns) + column;
            for (int i = 0; i < PanelLayout.BlockInputs / 2; i++)
            {
                int pair = matrix.CodeAt(start + i) | (matrix.CodeAt(start + i + 16) << 4);
                panel[(((i / 4 * lanes) + lane) * 4) + (i % 4)] = (byte)pair;
            }

            ((float*)(panel + PanelFormat.Nf4.CodeBytes(lanes)))[lane] = matrix.ScaleAt(start);
        }
    }

    private static void UnpackBlock(PanelFormat format, byte* block, int lane, int lanes, Span<float> destination)
    {
        byte* scales = block + format.CodeBytes(lanes);
        if (format == PanelFormat.U8)
        {
            float scale = (float)((Half*)scales)[lane];
            for (int k = 0; k < destination.Length; k++)
            {
                destination[k] = scale * (block[Place(k, lane, lanes)] - 128);
            }

            return;
        }

        // A nibble stands for one of 16 values.
        Span<float> levels = stackalloc float[16];
        for (int code = 0; code < levels.Length; code++)
        {
            levels[code] = format switch
            {
                PanelFormat.Nf4 => Nf4.Levels[code] * ((float*)scales)[lane],
                PanelFormat.U4 => (float)((Half*)scales)[lane] * (code - 8),
                _ => ((float)((Half*)scales)[lane] * code) + (float)((Half*)scales)[lanes + lane],
            };
        }

        int half = destination.Length / 2;
        for (int k = 0; k < half; k++)
        {
            byte pair = block[Place(k, lane, lanes)];
            destination[k] = levels[pair & 15];
            destination[half + k] = levels[pair >> 4];
        }
    }

    private static int Place(int k, int lane, int lanes) => (((k / 4 * lanes) + lane) * 4) + (k % 4);

    private static void Scatter<T>(ReadOnlySpan<T> row, T* lane, int lanes)
        where T : unmanaged
    {
        for (int k = 0; k < row.Length; k++)
        {
            lane[(nint)k * lanes] = row[k];
        }
    }

    private static void PackBytes(ReadOnlySpan<byte> row, byte* block, int lane, int lanes)
    {
        for (; row.Length > 0; row = row[34..], block += PanelFormat.U8.BlockBytes(lanes))
        {
            ReadOnlySpan<uint> groups = MemoryMarshal.Cast<byte, uint>(row.Slice(2, 32));
            for (int group = 0; group < groups.Length; group++)
            {
                // q + 128 in each byte: flipping the sign bit.
                ((uint*)block)[(group * lanes) + lane] = groups[group] ^ 0x80808080;
            }

            ((ushort*)(block + PanelFormat.U8.CodeBytes(lanes)))[lane] = BinaryPrimitives.ReadUInt16LittleEndian(row);
        }
    }

    // The files keep nibbles as the panels do: byte i is inputs i and 16 + i.
    private static void PackNibbles(PanelFormat format, ReadOnlySpan<byte> row, byte* block, int lane, int lanes)
    {
        int header = format == PanelFormat.U4WithMinimum ? 4 : 2;
        for (; row.Length > 0; row = row[(header + 16)..], block += format.BlockBytes(lanes))
        {
            ReadOnlySpan<uint> groups = MemoryMarshal.Cast<byte, uint>(row.Slice(header, 16));
            for (int group = 0; group < groups.Length; group++)
            {
                ((uint*)block)[(group * lanes) + lane] = groups[group];
            }

            ushort* scales = (ushort*)(block + format.CodeBytes(lanes));
            scales[lane] = BinaryPrimitives.ReadUInt16LittleEndian(row);
            if (format == PanelFormat.U4WithMinimum)
            {
                scales[lanes + lane] = BinaryPrimitives.ReadUInt16LittleEndian(row[2..]);
            }
        }
    }
}

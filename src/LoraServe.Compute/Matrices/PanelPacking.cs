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
        int codeBytes = format.HasBlocks() ? format.CodeBytes(lanes) : 0;
        int blockBytes = format.HasBlocks() ? format.BlockBytes(lanes) : 0;
        for (int k = 0; k < destination.Length; k++)
        {
            int element = (k * lanes) + lane;
            if (!format.HasBlocks())
            {
                destination[k] = format switch
                {
                    PanelFormat.F32 => ((float*)panel)[element],
                    PanelFormat.F16 => (float)((Half*)panel)[element],
                    _ => BitConverter.UInt32BitsToSingle((uint)((ushort*)panel)[element] << 16),
                };
                continue;
            }

            (int block, int input) = Math.DivRem(k, PanelLayout.BlockInputs);
            byte* codes = panel + ((long)block * blockBytes);
            Half* scales = (Half*)(codes + codeBytes);
            float scale = (float)scales[lane];
            int place = ((input % (format == PanelFormat.U8 ? 32 : 16) / 4 * lanes) + lane) * 4 + (input % 4);
            destination[k] = format switch
            {
                PanelFormat.U8 => scale * (codes[place] - 128),
                PanelFormat.U4 => scale * (Nibble(codes[place], input) - 8),
                PanelFormat.Nf4 => Nf4.Levels[Nibble(codes[place], input)] * ((float*)scales)[lane],
                _ => (scale * Nibble(codes[place], input)) + (float)scales[lanes + lane],
            };
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

    private static int Nibble(byte pair, int input) => input < 16 ? pair & 15 : pair >> 4;

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

using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Parquet;
using Parquet.Meta;

namespace LoraServe.Training.Data;

/// <summary>Looks through a Parquet file before it is read: its reader takes as much memory as footer and pages' headers say, whatever the file holds.</summary>
/// <remarks>Both are structs in Thrift's compact protocol (parquet.thrift: FileMetaData, PageHeader).</remarks>
internal static class ParquetPages
{
    /// <summary>The least that a value takes once it is read.</summary>
    private const int BytesPerValue = 16;

    private const int TailBytes = 8;
    private const int UncompressedSizeField = 2;
    private const int CompressedSizeField = 3;

    /// <summary>Checks that all pages lie in the file and unpack to no more than a limit.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mostBytes">The limit.</param>
    /// <exception cref="TrainingDataException">They do not.</exception>
    public static async Task CheckAsync(string path, long mostBytes)
    {
        FileStream file = File.OpenRead(path);
        await using (file.ConfigureAwait(false))
        {
            CheckFooter(file.SafeFileHandle, path);
            await using ParquetReader reader = await ParquetReader.CreateAsync(file, leaveStreamOpen: true).ConfigureAwait(false);
            long left = mostBytes;
            foreach (ColumnChunk chunk in (reader.Metadata?.RowGroups ?? []).SelectMany(group => group.Columns))
            {
                if (chunk.MetaData is not { } column || column.NumValues < 0)
                {
                    throw new TrainingDataException(path, "a column has no description, or a negative number of values. The file is damaged.");
                }

                left -= Math.Max(column.NumValues, 0) > left / BytesPerValue ? throw TooMuch(path, $"column {Name(column)} has {column.NumValues} values", mostBytes) : column.NumValues * BytesPerValue;
                left -= Unpacked(file.SafeFileHandle, path, column, left, mostBytes);
            }
        }
    }

    // At the end: the footer, its length, PAR1.
    private static void CheckFooter(SafeFileHandle file, string path)
    {
        long length = RandomAccess.GetLength(file);
        Span<byte> tail = stackalloc byte[TailBytes];
        if (length < TailBytes || RandomAccess.Read(file, tail, length - TailBytes) != TailBytes || !tail.EndsWith("PAR1"u8))
        {
            throw new TrainingDataException(path, "does not end as a Parquet file does (PAR1). It is damaged or cut off.");
        }

        long footer = BinaryPrimitives.ReadUInt32LittleEndian(tail);
        if (footer > length - TailBytes)
        {
            throw new TrainingDataException(path, $"its footer is said to be {footer} bytes; the file has {length}. It is damaged or cut off.");
        }

        new CompactStruct(file, path, length - TailBytes - footer, length - TailBytes).Read();
    }

    private static long Unpacked(SafeFileHandle file, string path, ColumnMetaData column, long left, long mostBytes)
    {
        long at = Math.Min(column.DataPageOffset, column.DictionaryPageOffset is > 0 and { } dictionary ? dictionary : long.MaxValue);
        long end = at + column.TotalCompressedSize;
        long length = RandomAccess.GetLength(file);
        if (at < 0 || column.TotalCompressedSize < 0 || end > length)
        {
            throw new TrainingDataException(path, $"column {Name(column)} is {column.TotalCompressedSize} bytes from {at} on; the file has {length}. It is damaged or cut off.");
        }

        long unpacked = 0;
        while (at < end)
        {
            CompactStruct header = new CompactStruct(file, path, at, end).Read();
            long size = header.Integer(UncompressedSizeField) ?? -1;
            long packed = header.Integer(CompressedSizeField) ?? -1;
            if (size < 0 || packed < 0 || packed > end - header.Position)
            {
                throw new TrainingDataException(path, $"a page of column {Name(column)} is said to be {packed} bytes, unpacked {size}, where {end - header.Position} are left. The file is damaged.");
            }

            unpacked += size;
            if (unpacked > left)
            {
                throw TooMuch(path, $"a page of column {Name(column)} unpacks to {size} bytes", mostBytes);
            }

            at = header.Position + packed;
        }

        return unpacked;
    }

    private static string Name(ColumnMetaData column) => string.Join('.', column.PathInSchema ?? []);

    private static TrainingDataException TooMuch(string path, string what, long mostBytes) =>
        new(path, $"{what}, and the file may unpack to {mostBytes >> 20} MiB. Unpack it yourself if it is genuine.");
}

using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace LoraServe.Training.Data;

/// <summary>Opens a file of rows, whatever holds them: JSON Lines, a JSON array, either of them in gzip, or Parquet. What has no rows to read in place is unpacked into a temporary file.</summary>
internal static class RowContainer
{
    /// <summary>An unpacked file may be this many times as large as the packed one, and no larger: text does not shrink more, what is meant to fill a disk does.</summary>
    private const int MostExpansion = 256;

    private const long LeastLimit = 64L << 20;
    private const int PeekedBytes = 64;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">What it is, such as <c>JSON Lines</c>.</param>
    /// <param name="isArray">Whether it is one JSON array, and not a line a row.</param>
    /// <exception cref="TrainingDataException">It cannot be unpacked.</exception>
    public static SafeFileHandle Open(string path, out string name, out bool isArray)
    {
        SafeFileHandle handle = File.OpenHandle(path);
        name = "";
        try
        {
            if (Peek(handle).StartsWith("PAR1"u8))
            {
                name = "Parquet";
                handle = Replace(handle, Unpack(path, ParquetRows.WriteLines));
            }
            else if (Peek(handle) is [0x1F, 0x8B, ..])
            {
                name = " in gzip";
                handle = Replace(handle, Unpack(path, Inflate));
            }

            // A table's lines are written here, each an object.
            isArray = name != "Parquet" && IsArray(Peek(handle));
            name = name == "Parquet" ? name : $"{(isArray ? "a JSON array" : "JSON Lines")}{name}";
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static ReadOnlySpan<byte> Peek(SafeFileHandle handle)
    {
        byte[] begin = new byte[PeekedBytes];
        return begin.AsSpan(0, RandomAccess.Read(handle, begin, 0));
    }

    private static bool IsArray(ReadOnlySpan<byte> begin)
    {
        begin = begin.StartsWith("\uFEFF"u8) ? begin[3..] : begin;
        return begin.TrimStart(" \t\r\n"u8) is [(byte)'[', ..];
    }

    private static SafeFileHandle Replace(SafeFileHandle handle, SafeFileHandle unpacked)
    {
        handle.Dispose();
        return unpacked;
    }

    private static SafeFileHandle Unpack(string path, Action<string, Stream, long> write)
    {
        string temporary = Path.Combine(Path.GetTempPath(), $"loraserve-rows-{Guid.NewGuid():n}");
        long limit = Math.Max(LeastLimit, new FileInfo(path).Length * MostExpansion);
        using (var stream = new BoundedStream(new FileStream(temporary, FileMode.CreateNew), path, limit))
        {
            try
            {
                write(path, stream, limit);
            }
            catch (Exception failure)
            {
                stream.Dispose();
                File.Delete(temporary);
                throw failure is TrainingDataException or OutOfMemoryException ? failure : new TrainingDataException(path, $"cannot be unpacked: {failure.Message}");
            }
        }

        return File.OpenHandle(temporary, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.DeleteOnClose);
    }

    private static void Inflate(string path, Stream output, long mostBytes)
    {
        using var packed = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        packed.CopyTo(output);
    }

    /// <summary>A stream that takes so many bytes and no more.</summary>
    private sealed class BoundedStream(Stream output, string path, long limit) : Stream
    {
        private long _written;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => output.Length;

        public override long Position
        {
            get => output.Position;
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _written += buffer.Length;
            if (_written > limit)
            {
                throw new TrainingDataException(path, $"unpacks to more than {limit >> 20} MiB, {MostExpansion} times its size. Unpack it yourself if it is genuine.");
            }

            output.Write(buffer);
        }

        public override void Flush() => output.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            output.Dispose();
            base.Dispose(disposing);
        }
    }
}

using System.Runtime.CompilerServices;
using System.Text;

namespace LoraServe.Compute.Files;

/// <summary>Reads a GGUF file front to back; every read is checked against the file's end.</summary>
internal unsafe ref struct GgufReader(string file, byte* data, long length)
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The next byte to read, from the file's start.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes that are left.</summary>
    public readonly long Remaining => length - Position;

    /// <summary>Reads a little-endian number.</summary>
    public T Read<T>(string what) where T : unmanaged
    {
        byte* at = data + Position;
        Skip((ulong)sizeof(T), what);
        return Unsafe.ReadUnaligned<T>(at);
    }

    /// <summary>Reads a number of things that take at least <paramref name="minimumBytes"/> each.</summary>
    public long ReadCount(int minimumBytes, string what)
    {
        ulong count = Read<ulong>(what);
        return count <= (ulong)(Remaining / minimumBytes)
            ? (long)count
            : throw new TensorFileException(file, $"{what} is {count}; the {Remaining} bytes that are left cannot hold that many");
    }

    /// <summary>Reads a name, which must be UTF-8.</summary>
    public string ReadName(string what)
    {
        long at = Position + sizeof(ulong);
        SkipStrings(1, what);
        try
        {
            return s_strict.GetString(data + at, checked((int)(Position - at)));
        }
        catch (Exception error) when (error is DecoderFallbackException or OverflowException)
        {
            throw new TensorFileException(file, $"{what} at byte {at} is not UTF-8 text of a sensible length", error);
        }
    }

    /// <summary>Reads past a value of <paramref name="type"/> and says where it lies.</summary>
    public GgufValue ReadValue(uint type, string what)
    {
        bool isArray = type == (uint)GgufValueType.Array;
        long count = 1;
        if (isArray)
        {
            type = Read<uint>($"element type of {what}");
            int minimumBytes = type == (uint)GgufValueType.String ? sizeof(ulong) : ByteSize(type, what);
            count = ReadCount(minimumBytes, $"array length of {what}");
        }

        long start = Position;
        if (type == (uint)GgufValueType.String)
        {
            SkipStrings(count, what);
        }
        else
        {
            Skip((ulong)count * (ulong)ByteSize(type, what), what);
        }

        return new GgufValue((GgufValueType)type, isArray, count, start, Position - start);
    }

    /// <remarks>Vocabularies have hundreds of thousands of strings, so the loop is compiled well at once and makes one text for its complaints.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SkipStrings(long count, string what)
    {
        string lengthOf = $"length of {what}";
        for (long i = 0; i < count; i++)
        {
            Skip(Read<ulong>(lengthOf), what);
        }
    }

    private void Skip(ulong bytes, string what)
    {
        if (bytes > (ulong)Remaining)
        {
            throw new TensorFileException(file, $"{what} at byte {Position} needs {bytes} bytes, {Remaining} are left; the file is cut off or damaged");
        }

        Position += (long)bytes;
    }

    private readonly int ByteSize(uint type, string what) => (GgufValueType)type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.UInt64 or GgufValueType.Int64 or GgufValueType.Float64 => 8,
        GgufValueType.Array => throw new TensorFileException(file, $"{what} is an array of arrays, which is not supported"),
        _ => throw new TensorFileException(file, $"{what} has value type {type}; the format's types are 0 to 12"),
    };
}

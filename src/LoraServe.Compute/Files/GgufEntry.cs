using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace LoraServe.Compute.Files;

/// <summary>A metadata value that a GGUF file is to have.</summary>
public sealed class GgufEntry
{
    private readonly byte[] _value;

    internal GgufEntry(string key, GgufValueType type, ReadOnlySpan<byte> value, long? count = null)
    {
        Key = key;
        var buffer = new ArrayBufferWriter<byte>();
        if (count is { } elements)
        {
            Append(buffer, (uint)GgufValueType.Array);
            Append(buffer, (uint)type);
            Append(buffer, (ulong)elements);
        }
        else
        {
            Append(buffer, (uint)type);
        }

        buffer.Write(value);
        _value = buffer.WrittenSpan.ToArray();
    }

    /// <summary>The key.</summary>
    public string Key { get; }

    /// <summary>Type and value, as the file has them.</summary>
    internal ReadOnlySpan<byte> Value => _value;

    /// <summary>A text.</summary>
    public static GgufEntry Of(string key, string value) => new(key, GgufValueType.String, Bytes(buffer => AppendText(buffer, value)));

    /// <summary>A number of 32 bits without sign.</summary>
    public static GgufEntry Of(string key, uint value) => new(key, GgufValueType.UInt32, Bytes(buffer => Append(buffer, value)));

    /// <summary>A float32.</summary>
    public static GgufEntry Of(string key, float value) => new(key, GgufValueType.Float32, Bytes(buffer => Append(buffer, BitConverter.SingleToUInt32Bits(value))));

    /// <summary>A truth value.</summary>
    public static GgufEntry Of(string key, bool value) => new(key, GgufValueType.Bool, [value ? (byte)1 : (byte)0]);

    /// <summary>Texts.</summary>
    public static GgufEntry Of(string key, IReadOnlyCollection<string> values) => new(key, GgufValueType.String, Bytes(buffer =>
    {
        foreach (string value in values)
        {
            AppendText(buffer, value);
        }
    }), values.Count);

    /// <summary>Numbers of 32 bits.</summary>
    public static GgufEntry Of(string key, IReadOnlyCollection<int> values) => new(key, GgufValueType.Int32, Bytes(buffer =>
    {
        foreach (int value in values)
        {
            Append(buffer, (uint)value);
        }
    }), values.Count);

    internal static void AppendText(IBufferWriter<byte> buffer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Append(buffer, (ulong)bytes.Length);
        buffer.Write(bytes);
    }

    internal static void Append(IBufferWriter<byte> buffer, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.GetSpan(sizeof(uint)), value);
        buffer.Advance(sizeof(uint));
    }

    internal static void Append(IBufferWriter<byte> buffer, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(buffer.GetSpan(sizeof(ulong)), value);
        buffer.Advance(sizeof(ulong));
    }

    private static byte[] Bytes(Action<ArrayBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer);
        return buffer.WrittenSpan.ToArray();
    }
}

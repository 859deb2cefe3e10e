using System.Buffers.Binary;
using System.Text;

namespace LoraServe.Fuzz.Mutation;

/// <summary>The parts of a GGUF file of version 3, to be put together again after some were changed.</summary>
internal sealed class GgufLayout
{
    private const int Alignment = 32;
    private const uint Text = 8;
    private const uint Array = 9;
    private static readonly int[] s_sizes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

    /// <summary>Metadata: key, type and the value's bytes.</summary>
    public List<(byte[] Key, uint Type, byte[] Value)> Values { get; } = [];

    /// <summary>Tensors: name, extents, type and place.</summary>
    public List<(byte[] Name, ulong[] Extents, uint Type, ulong Offset)> Tensors { get; } = [];

    /// <summary>What lies behind the header.</summary>
    public byte[] Data { get; private init; } = [];

    /// <summary>Takes a file apart; null where it is damaged already.</summary>
    public static GgufLayout? Parse(byte[] bytes)
    {
        try
        {
            int at = 24;
            List<(byte[], uint, byte[])> values = [];
            List<(byte[], ulong[], uint, ulong)> tensors = [];
            ulong tensorCount = Long(bytes, 8);
            ulong valueCount = Long(bytes, 16);
            for (ulong i = 0; i < valueCount; i++)
            {
                byte[] key = Take(bytes, ref at, checked((int)Next(bytes, ref at)));
                uint type = BinaryPrimitives.ReadUInt32LittleEndian(Take(bytes, ref at, sizeof(uint)));
                int begin = at;
                Skip(bytes, ref at, type);
                values.Add((key, type, bytes[begin..at]));
            }

            for (ulong i = 0; i < tensorCount; i++)
            {
                byte[] name = Take(bytes, ref at, checked((int)Next(bytes, ref at)));
                ulong[] extents = new ulong[BinaryPrimitives.ReadUInt32LittleEndian(Take(bytes, ref at, sizeof(uint))) is <= 4 and var count ? count : throw new FormatException()];
                for (int k = 0; k < extents.Length; k++)
                {
                    extents[k] = Next(bytes, ref at);
                }

                uint type = BinaryPrimitives.ReadUInt32LittleEndian(Take(bytes, ref at, sizeof(uint)));
                tensors.Add((name, extents, type, Next(bytes, ref at)));
            }

            var layout = new GgufLayout { Data = bytes[Math.Min((at + Alignment - 1) / Alignment * Alignment, bytes.Length)..] };
            layout.Values.AddRange(values);
            layout.Tensors.AddRange(tensors);
            return layout;
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException or FormatException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>The file.</summary>
    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(3);
        writer.Write((ulong)Tensors.Count);
        writer.Write((ulong)Values.Count);
        foreach ((byte[] key, uint type, byte[] value) in Values)
        {
            writer.Write((ulong)key.Length);
            writer.Write(key);
            writer.Write(type);
            writer.Write(value);
        }

        foreach ((byte[] name, ulong[] extents, uint type, ulong offset) in Tensors)
        {
            writer.Write((ulong)name.Length);
            writer.Write(name);
            writer.Write(extents.Length);
            System.Array.ForEach(extents, writer.Write);
            writer.Write(type);
            writer.Write(offset);
        }

        writer.Write(new byte[(Alignment - (stream.Length % Alignment)) % Alignment]);
        writer.Write(Data);
        return stream.ToArray();
    }

    /// <summary>A text as a value.</summary>
    public static byte[] TextValue(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        byte[] value = new byte[sizeof(ulong) + bytes.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(value, (ulong)bytes.Length);
        bytes.CopyTo(value, sizeof(ulong));
        return value;
    }

    private static void Skip(byte[] bytes, ref int at, uint type)
    {
        ulong count = 1;
        if (type == Array)
        {
            type = BinaryPrimitives.ReadUInt32LittleEndian(Take(bytes, ref at, sizeof(uint)));
            count = Next(bytes, ref at);
        }

        if (type == Text)
        {
            for (ulong i = 0; i < count; i++)
            {
                _ = Take(bytes, ref at, checked((int)Next(bytes, ref at)));
            }
        }
        else
        {
            _ = Take(bytes, ref at, checked((int)(count * (ulong)s_sizes[type])));
        }
    }

    private static ulong Next(byte[] bytes, ref int at) => Long(Take(bytes, ref at, sizeof(ulong)), 0);

    private static ulong Long(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));

    private static byte[] Take(byte[] bytes, ref int at, int count)
    {
        byte[] taken = bytes[at..checked(at + count)];
        at += count;
        return taken;
    }
}

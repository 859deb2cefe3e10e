using System.Buffers.Binary;
using System.Text;

namespace LoraServe.Fuzz.Mutation;

/// <summary>Changes a part of a GGUF file: a value of its metadata, its type or key, a tensor's name, extents, type or place.</summary>
internal static class GgufMutator
{
    private const uint Text = 8;
    private const uint Array = 9;

    private static readonly string[] s_texts = ["", "llama", "qwen2", "gemma3", "gpt2", "bert", "t5", "lora", "default", "none", "\0", "{{ messages }}", "{% for x in y %}", "é", "token_embd.weight", "../x"];
    private static readonly float[] s_numbers = [float.NaN, float.PositiveInfinity, 0, -1, float.MaxValue, float.Epsilon, 1e-30f, 1e30f];

    /// <summary>A file with one thing changed.</summary>
    public static byte[] Mutate(Random random, byte[] bytes, byte[] other)
    {
        if (GgufLayout.Parse(bytes) is not { Values.Count: > 0 } file || random.OneIn(5))
        {
            return ByteMutator.Mutate(random, bytes, other);
        }

        if (file.Tensors.Count > 0 && random.OneIn(3))
        {
            ChangeTensor(random, file);
        }
        else
        {
            ChangeValue(random, file, GgufLayout.Parse(other) ?? file);
        }

        return file.ToBytes();
    }

    private static void ChangeTensor(Random random, GgufLayout file)
    {
        int at = random.Next(file.Tensors.Count);
        (byte[] name, ulong[] extents, uint type, ulong offset) = file.Tensors[at];
        switch (random.Next(6))
        {
            case 0:
                file.Tensors.RemoveAt(at);
                return;
            case 1:
                file.Tensors.Insert(at, file.Tensors[random.Next(file.Tensors.Count)]);
                return;
            case 2:
                name = ByteMutator.Mutate(random, name, file.Tensors[random.Next(file.Tensors.Count)].Name);
                break;
            case 3:
                type = (uint)random.Next(45);
                break;
            case 4:
                offset = random.OneIn(2) ? (ulong)random.Awkward((long)offset) : file.Tensors[random.Next(file.Tensors.Count)].Offset;
                break;
            default:
                if (extents.Length > 0 && !random.OneIn(4))
                {
                    int which = random.Next(extents.Length);
                    extents[which] = (ulong)random.Awkward((long)extents[which]);
                }
                else
                {
                    extents = random.OneIn(2) ? [.. extents, (ulong)random.Next(3)] : extents[..Math.Max(0, extents.Length - 1)];
                }

                break;
        }

        file.Tensors[at] = (name, extents, type, offset);
    }

    private static void ChangeValue(Random random, GgufLayout file, GgufLayout other)
    {
        int at = random.Next(file.Values.Count);
        (byte[] key, uint type, byte[] value) = file.Values[at];
        switch (random.Next(8))
        {
            case 0:
                file.Values.RemoveAt(at);
                return;
            case 1:
                file.Values.Insert(at, file.Values[random.Next(file.Values.Count)]);
                return;
            case 2:
                key = ByteMutator.Mutate(random, key, file.Values[random.Next(file.Values.Count)].Key);
                break;
            case 3:
                (_, type, value) = (random.OneIn(2) ? file : other).Values is { Count: > 0 } values ? values[random.Next(values.Count)] : file.Values[at];
                break;
            case 4:
                (type, value) = (Text, GgufLayout.TextValue(random.Pick(s_texts)));
                break;
            default:
                value = type switch
                {
                    Text => GgufLayout.TextValue(Encoding.Latin1.GetString(ByteMutator.Mutate(random, value[sizeof(ulong)..], Encoding.UTF8.GetBytes(random.Pick(s_texts))))),
                    Array => ChangeArray(random, [.. value]),
                    6 => BitConverter.GetBytes(random.Pick(s_numbers)),
                    _ => BitConverter.GetBytes(random.Awkward(value.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(value) : value[0]))[..value.Length],
                };
                break;
        }

        file.Values[at] = (key, type, value);
    }

    /// <summary>Changes an element, the count, or the type.</summary>
    private static byte[] ChangeArray(Random random, byte[] value)
    {
        const int Header = sizeof(uint) + sizeof(ulong);
        ulong count = BinaryPrimitives.ReadUInt64LittleEndian(value.AsSpan(sizeof(uint)));
        bool isText = BinaryPrimitives.ReadUInt32LittleEndian(value) == Text;
        switch (random.Next(4))
        {
            case 0:
                BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(sizeof(uint)), (ulong)random.Awkward((long)count));
                return value;
            case 1 when !isText && count > 0:
                // One element less, or none, and a file that is whole.
                int size = (value.Length - Header) / (int)Math.Min(count, int.MaxValue);
                ulong kept = random.OneIn(2) ? count - 1 : 0;
                BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(sizeof(uint)), kept);
                return value[..(Header + (int)Math.Min(kept * (ulong)size, (ulong)(value.Length - Header)))];
            case 2 when !isText && value.Length >= Header + sizeof(int):
                BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(Header + random.Next(value.Length - Header - 3)), (int)random.Awkward(1));
                return value;
            case 3 when isText && count > 0:
                // All texts gone but some empty ones.
                ulong few = (ulong)random.Next(3);
                byte[] emptied = [.. value[..Header], .. new byte[(int)few * sizeof(ulong)]];
                BinaryPrimitives.WriteUInt64LittleEndian(emptied.AsSpan(sizeof(uint)), few);
                return emptied;
            default:
                return [.. value[..Header], .. ByteMutator.Mutate(random, value[Header..], [])];
        }
    }
}

using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace LoraServe.Fuzz.Mutation;

/// <summary>Changes a safetensors file: its header with no regard to the data, or a tensor such that the file stays one, with another name, type, shape or other values.</summary>
internal static class SafetensorsMutator
{
    private static readonly (string Name, int Bits)[] s_types =
    [
        ("F32", 32), ("F16", 16), ("BF16", 16), ("F64", 64), ("I64", 64), ("I32", 32), ("I16", 16), ("I8", 8), ("U8", 8), ("BOOL", 8), ("F8_E4M3", 8), ("F8_E5M2", 8), ("F4", 4), ("U64", 64), ("X", 8),
    ];

    private static readonly float[] s_values = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, 1e38f, 1e30f, float.Epsilon, 0, -1, 1e9f, 65_504, 70_000];

    /// <summary>A file with one thing changed.</summary>
    public static byte[] Mutate(Random random, byte[] bytes, byte[] other)
    {
        if (Split(bytes) is not { } parts)
        {
            return ByteMutator.Mutate(random, bytes, other);
        }

        (JsonObject header, byte[] data) = parts;
        if (random.OneIn(3))
        {
            byte[] changed = JsonMutator.Mutate(random, Encoding.UTF8.GetBytes(header.ToJsonString()), Split(other)?.Header is { } others ? Encoding.UTF8.GetBytes(others.ToJsonString()) : []);
            return Join(changed, data, random.OneIn(10) ? random.Awkward(changed.Length) : changed.Length);
        }

        string[] names = [.. header.Select(entry => entry.Key).Where(name => name != "__metadata__")];
        if (names.Length == 0)
        {
            return ByteMutator.Mutate(random, bytes, other);
        }

        string name = random.Pick(names);
        return ChangeEntry(random, header, name, header[name]!.AsObject(), data, other) ?? ByteMutator.Mutate(random, bytes, other);
    }

    private static byte[]? ChangeEntry(Random random, JsonObject header, string name, JsonObject entry, byte[] data, byte[] other)
    {
        if (entry["data_offsets"] is not JsonArray { Count: 2 } offsets || !IsNumber(offsets[0], out long begin) || !IsNumber(offsets[1], out long end)
            || begin < 0 || begin > end || end > data.Length || entry["shape"] is not JsonArray shape)
        {
            return null;
        }

        switch (random.Next(6))
        {
            case 0:
                header.Remove(name);
                return Whole(header, data, begin, end, []);
            case 1:
                header.Remove(name);
                header[Renamed(random, name, header)] = entry;
                return Join(Encoding.UTF8.GetBytes(header.ToJsonString()), data);
            case 2:
                byte[] values = data[(int)begin..(int)end];
                for (int i = random.Next(1, 4); i > 0 && values.Length >= sizeof(float); i--)
                {
                    BinaryPrimitives.WriteSingleLittleEndian(values.AsSpan(random.Next(values.Length / sizeof(float)) * sizeof(float)), random.Pick(s_values));
                }

                return Whole(header, data, begin, end, values);
            case 3:
                entry["dtype"] = random.Pick(s_types).Name;
                break;
            default:
                Reshape(random, shape);
                break;
        }

        // A shape that is far too large stays a claim that the data does not keep.
        long? length = LengthOf(entry);
        if (length is not (>= 0 and < 1 << 20))
        {
            return Join(Encoding.UTF8.GetBytes(header.ToJsonString()), data);
        }

        byte[] content = new byte[length.Value];
        if (end > begin)
        {
            for (int i = 0; i < content.Length; i++)
            {
                content[i] = data[begin + (i % (end - begin))];
            }
        }

        return Whole(header, data, begin, end, content);
    }

    private static string Renamed(Random random, string name, JsonObject others)
    {
        string[] parts = name.Split('.');
        parts[random.Next(parts.Length)] = random.Pick(["", "0", "1", "99", "-1", "weight", "bias", "default", "lora_A", "lora_B", "q_proj", "embed_tokens", "lm_head", "999999999999", "é"]);
        string renamed = random.OneIn(5) && others.Count > 0 ? others.ElementAt(random.Next(others.Count)).Key + random.Pick(["", ".x", " "]) : string.Join('.', parts);
        return others.ContainsKey(renamed) ? name + "x" : renamed;
    }

    private static void Reshape(Random random, JsonArray shape)
    {
        switch (random.Next(5))
        {
            case 0:
                shape.Insert(random.Next(shape.Count + 1), 1);
                break;
            case 1 when shape.Count > 0:
                shape.RemoveAt(random.Next(shape.Count));
                break;
            case 2 when shape.Count > 1:
                JsonNode? first = shape[0];
                shape.RemoveAt(0);
                shape.Add(first);
                break;
            default:
                if (shape.Count > 0)
                {
                    int at = random.Next(shape.Count);
                    long extent = IsNumber(shape[at], out long number) ? number : 1;
                    shape[at] = random.OneIn(3) ? random.Awkward(extent) : Math.Max(0, extent + random.Next(-2, 3));
                }

                break;
        }
    }

    private static long? LengthOf(JsonObject entry)
    {
        int bits = s_types.FirstOrDefault(type => type.Name == entry["dtype"]?.ToString(), (Name: "", Bits: 8)).Bits;
        try
        {
            long count = entry["shape"]!.AsArray().Aggregate(1L, (product, extent) => checked(product * (IsNumber(extent, out long number) ? number : throw new FormatException())));
            return checked(count * bits) / 8;
        }
        catch (Exception exception) when (exception is OverflowException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Puts other bytes in the place of a tensor's, and moves all that lies behind.</summary>
    private static byte[] Whole(JsonObject header, byte[] data, long begin, long end, byte[] content)
    {
        foreach ((_, JsonNode? node) in header)
        {
            if (node is JsonObject entry && entry["data_offsets"] is JsonArray { Count: 2 } offsets && IsNumber(offsets[0], out long first) && IsNumber(offsets[1], out long last))
            {
                (offsets[0], offsets[1]) = first == begin && last == end ? (begin, begin + content.Length)
                    : first >= end ? (first + content.Length - (end - begin), last + content.Length - (end - begin))
                    : (first, last);
            }
        }

        return Join(Encoding.UTF8.GetBytes(header.ToJsonString()), [.. data[..(int)begin], .. content, .. data[(int)end..]]);
    }

    private static bool IsNumber(JsonNode? node, out long number)
    {
        number = 0;
        return node is JsonValue value && value.TryGetValue(out number);
    }

    private static (JsonObject Header, byte[] Data)? Split(byte[] bytes)
    {
        if (bytes.Length < sizeof(long) || BinaryPrimitives.ReadInt64LittleEndian(bytes) is var length && (length < 2 || length > bytes.Length - sizeof(long)))
        {
            return null;
        }

        int end = sizeof(long) + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        return JsonMutator.Parse(bytes.AsSpan(sizeof(long)..end)) is JsonObject header && header.All(entry => entry.Value is JsonObject) ? (header, bytes[end..]) : null;
    }

    private static byte[] Join(byte[] header, byte[] data, long? length = null)
    {
        byte[] begin = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(begin, length ?? header.Length);
        return [.. begin, .. header, .. data];
    }
}

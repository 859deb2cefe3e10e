using System.Runtime.CompilerServices;
using System.Text;

namespace LoraServe.Compute.Files;

/// <summary>The metadata of a GGUF file, decoded when asked for.</summary>
/// <remarks>The getters throw <see cref="TensorFileException"/> with the key, the type found and the type expected.</remarks>
public sealed unsafe class GgufMetadata
{
    private readonly string _file;
    private readonly MappedFile _mapping;
    private readonly Dictionary<string, GgufValue> _values;

    internal GgufMetadata(string file, MappedFile mapping, Dictionary<string, GgufValue> values)
    {
        _file = file;
        _mapping = mapping;
        _values = values;
    }

    /// <summary>All keys, in the order of the file.</summary>
    public IEnumerable<string> Keys => _values.Keys;

    /// <summary>Whether the file has <paramref name="key"/>.</summary>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>Number of elements of an array, or null where the file has no such key.</summary>
    public long? FindLength(string key) => Find(key, isArray: true, "an array", _ => true, out GgufValue value) ? value.Count : null;

    /// <summary>A text.</summary>
    public string GetString(string key) => FindString(key) ?? throw Missing(key, "a string");

    /// <summary>A text, or null where the file has no such key.</summary>
    public string? FindString(string key)
    {
        if (!Find(key, isArray: false, "a string", IsString, out GgufValue value))
        {
            return null;
        }

        byte* at = Pointer(value);
        return ReadString(ref at);
    }

    /// <summary>An integer of any width.</summary>
    public long GetInteger(string key) => FindInteger(key) ?? throw Missing(key, "an integer");

    /// <summary>An integer of any width, or null where the file has no such key. An array of equal integers, one a layer, is read as one.</summary>
    public long? FindInteger(string key) => FindOne(key, "an integer", IsInteger, ReadInteger);

    /// <summary>A number, integer or not.</summary>
    public double GetNumber(string key) => FindNumber(key) ?? throw Missing(key, "a number");

    /// <summary>A number, integer or not, or null where the file has no such key. An array of equal numbers, one a layer, is read as one.</summary>
    public double? FindNumber(string key) => FindOne(key, "a number", IsNumber, ReadNumber);

    /// <summary>A truth value, or null where the file has no such key.</summary>
    public bool? FindBool(string key) =>
        Find(key, isArray: false, "a bool", type => type == GgufValueType.Bool, out GgufValue value) ? *Pointer(value) != 0 : null;

    /// <summary>An array of texts, or null where the file has no such key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public string[]? FindStrings(string key)
    {
        if (!Find(key, isArray: true, "an array of strings", IsString, out GgufValue value))
        {
            return null;
        }

        string[] strings = new string[value.Count];
        byte* at = Pointer(value);
        for (int i = 0; i < strings.Length; i++)
        {
            strings[i] = ReadString(ref at);
        }

        return strings;
    }

    /// <summary>An array of integers, or null where the file has no such key.</summary>
    public long[]? FindIntegers(string key) => FindArray(key, "an array of integers", IsInteger, ReadInteger);

    /// <summary>An array of numbers, or null where the file has no such key.</summary>
    public double[]? FindNumbers(string key) => FindArray(key, "an array of numbers", IsNumber, ReadNumber);

    /// <summary>A value as it is, for another file.</summary>
    /// <exception cref="TensorFileException">There is no such key, or it is larger than an array can be.</exception>
    public GgufEntry Entry(string key)
    {
        if (!_values.TryGetValue(key, out GgufValue value))
        {
            throw Missing(key, "a value");
        }

        int length = value.ByteLength <= Array.MaxLength ? (int)value.ByteLength : throw new TensorFileException(_file, $"metadata '{key}' has {value.ByteLength} bytes, which is too much to copy");
        return new GgufEntry(key, value.Type, new ReadOnlySpan<byte>(Pointer(value), length), value.IsArray ? value.Count : null);
    }

    private static bool IsString(GgufValueType type) => type == GgufValueType.String;

    private static bool IsInteger(GgufValueType type) =>
        type is GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.UInt16 or GgufValueType.Int16
            or GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.UInt64 or GgufValueType.Int64;

    private static bool IsNumber(GgufValueType type) => IsInteger(type) || type is GgufValueType.Float32 or GgufValueType.Float64;

    private static string ReadString(ref byte* at)
    {
        int length = checked((int)Unsafe.ReadUnaligned<ulong>(at));
        string text = Encoding.UTF8.GetString(at + sizeof(ulong), length);
        at += sizeof(ulong) + length;
        return text;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private T[]? FindArray<T>(string key, string expected, Predicate<GgufValueType> accepts, Func<string, GgufValue, int, T> read)
    {
        if (!Find(key, isArray: true, expected, accepts, out GgufValue value))
        {
            return null;
        }

        var elements = new T[value.Count];
        for (int i = 0; i < elements.Length; i++)
        {
            elements[i] = read(key, value, i);
        }

        return elements;
    }

    private T? FindOne<T>(string key, string expected, Predicate<GgufValueType> accepts, Func<string, GgufValue, int, T> read)
        where T : struct, IEquatable<T>
    {
        bool isArray = _values.TryGetValue(key, out GgufValue value) && value is { IsArray: true, Count: > 0 };
        if (!Find(key, isArray, expected, accepts, out value))
        {
            return null;
        }

        T first = read(key, value, 0);
        for (int i = 1; i < value.Count; i++)
        {
            if (read(key, value, i) is var other && !other.Equals(first))
            {
                throw new TensorFileException(_file, FormattableString.Invariant($"metadata '{key}' has {value.Count} values that differ, {first} and then {other} at {i}; expected {expected}, the same for all layers"));
            }
        }

        return first;
    }

    private bool Find(string key, bool isArray, string expected, Predicate<GgufValueType> accepts, out GgufValue value)
    {
        if (!_values.TryGetValue(key, out value))
        {
            return false;
        }

        return value.IsArray == isArray && accepts(value.Type)
            ? true
            : throw new TensorFileException(_file, $"metadata '{key}' is {value.TypeName}; expected {expected}");
    }

    private long ReadInteger(string key, GgufValue value, int index)
    {
        byte* at = Pointer(value);
        return value.Type switch
        {
            GgufValueType.UInt8 => at[index],
            GgufValueType.Int8 => ((sbyte*)at)[index],
            GgufValueType.UInt16 => Element<ushort>(at, index),
            GgufValueType.Int16 => Element<short>(at, index),
            GgufValueType.UInt32 => Element<uint>(at, index),
            GgufValueType.Int32 => Element<int>(at, index),
            GgufValueType.Int64 => Element<long>(at, index),
            _ => Element<ulong>(at, index) is var wide && wide <= long.MaxValue
                ? (long)wide
                : throw new TensorFileException(_file, $"metadata '{key}' is {wide}; expected at most {long.MaxValue}"),
        };
    }

    private double ReadNumber(string key, GgufValue value, int index) => value.Type switch
    {
        GgufValueType.Float32 => Element<float>(Pointer(value), index),
        GgufValueType.Float64 => Element<double>(Pointer(value), index),
        _ => ReadInteger(key, value, index),
    };

    private static T Element<T>(byte* at, int index) where T : unmanaged => Unsafe.ReadUnaligned<T>(at + ((long)index * sizeof(T)));

    private byte* Pointer(GgufValue value)
    {
        ObjectDisposedException.ThrowIf(_mapping.IsDisposed, this);
        return _mapping.Pointer + value.Offset;
    }

    private TensorFileException Missing(string key, string expected) => new(_file, $"metadata '{key}' is missing; expected {expected}");
}

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Files;

/// <summary>The checked header of a safetensors file.</summary>
/// <remarks>Rules: https://github.com/huggingface/safetensors, README "Format"; a header has at most 100 MB, data no holes and no overlaps.</remarks>
internal sealed class SafetensorsHeader
{
    private const int MaxHeaderBytes = 100_000_000;
    private const int MaxDimensions = 16;
    private readonly string _file;
    private readonly List<SafetensorsEntry> _entries = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafetensorsHeader(string file, long dataStart)
    {
        _file = file;
        DataStart = dataStart;
    }

    /// <summary>Bytes before the first tensor.</summary>
    public long DataStart { get; }

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries => _entries;

    /// <summary>The texts under <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Parses and checks the header of a file of <paramref name="length"/> bytes.</summary>
    public static unsafe SafetensorsHeader Parse(string file, byte* data, long length)
    {
        if (length < sizeof(ulong))
        {
            throw new TensorFileException(file, $"{length} bytes long, too short for the 8-byte header length that a safetensors file starts with");
        }

        var begin = new ReadOnlySpan<byte>(data, (int)Math.Min(length, 512));
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(data, sizeof(ulong)));
        if (headerLength is 0 or > MaxHeaderBytes || headerLength > (ulong)(length - sizeof(ulong)))
        {
            throw new TensorFileException(file, ForeignContent.Describe(begin) is { } found
                ? $"holds no safetensors; it is {found}"
                : $"header length is {headerLength}; expected 1 to {Math.Min(MaxHeaderBytes, length - sizeof(ulong))} in a file of {length} bytes; is this a safetensors file?");
        }

        var header = new SafetensorsHeader(file, sizeof(ulong) + (long)headerLength);
        var json = new ReadOnlySpan<byte>(data + sizeof(ulong), (int)headerLength);
        if (!Utf8.IsValid(json))
        {
            throw new TensorFileException(file, "the header is not UTF-8");
        }

        try
        {
            header.ReadJson(json);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new TensorFileException(file, $"the header is not valid JSON: {(error is JsonException mistake ? JsonMistake.Describe(mistake) : error.Message)}", error);
        }

        header.CheckLayout(length - header.DataStart);
        return header;
    }

    private void ReadJson(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        reader.Read();
        Expect(reader, JsonTokenType.StartObject, "the header");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            if (!_names.Add(name))
            {
                throw new TensorFileException(_file, $"'{name}' is twice in the header");
            }

            reader.Read();
            if (name == "__metadata__")
            {
                ReadMetadata(ref reader);
            }
            else
            {
                ReadEntry(ref reader, name);
            }
        }

        if (reader.Read())
        {
            throw new TensorFileException(_file, "the header goes on after its closing brace");
        }
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(reader, JsonTokenType.StartObject, "__metadata__");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            Expect(reader, JsonTokenType.String, $"__metadata__ '{key}'");
            if (!_metadata.TryAdd(key, reader.GetString()!))
            {
                throw new TensorFileException(_file, $"__metadata__ has '{key}' twice");
            }
        }
    }

    private void ReadEntry(ref Utf8JsonReader reader, string name)
    {
        Expect(reader, JsonTokenType.StartObject, $"tensor '{name}'");
        string? dtype = null;
        ImmutableArray<long>? shape = null;
        ImmutableArray<long>? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string field = reader.GetString()!;
            reader.Read();
            bool again;
            switch (field)
            {
                case "dtype":
                    Expect(reader, JsonTokenType.String, $"dtype of tensor '{name}'");
                    again = dtype is not null;
                    dtype = reader.GetString();
                    break;
                case "shape":
                    again = shape is not null;
                    shape = ReadIntegers(ref reader, $"shape of tensor '{name}'");
                    break;
                case "data_offsets":
                    again = offsets is not null;
                    offsets = ReadIntegers(ref reader, $"data_offsets of tensor '{name}'");
                    break;
                default:
                    throw new TensorFileException(_file, $"tensor '{name}' has the field '{field}'; expected dtype, shape and data_offsets");
            }

            if (again)
            {
                throw new TensorFileException(_file, $"tensor '{name}' has the field '{field}' twice");
            }
        }

        if (dtype is null || shape is null || offsets is null)
        {
            throw new TensorFileException(_file, $"tensor '{name}' lacks {(dtype is null ? "dtype" : shape is null ? "shape" : "data_offsets")}");
        }

        _entries.Add(Check(name, dtype, shape.Value, offsets.Value));
    }

    private SafetensorsEntry Check(string name, string dtype, ImmutableArray<long> shape, ImmutableArray<long> offsets)
    {
        ElementType type = StoredFormats.FindDtype(dtype)?.Type
            ?? throw new TensorFileException(_file, $"tensor '{name}' has dtype '{dtype}'; supported are {StoredFormats.Dtypes}");
        if (offsets is not [long begin, long end] || begin > end)
        {
            throw new TensorFileException(_file, $"tensor '{name}' has data_offsets [{string.Join(", ", offsets)}]; expected a begin and an end that is not before it");
        }

        long bytes;
        try
        {
            bytes = type.ByteLength(shape.Aggregate(1L, (product, extent) => checked(product * extent)));
        }
        catch (OverflowException error)
        {
            throw new TensorFileException(_file, $"tensor '{name}' has shape [{string.Join(", ", shape)}], whose product overflows", error);
        }

        return bytes == end - begin
            ? new SafetensorsEntry(name, type, shape, begin, end)
            : throw new TensorFileException(_file, $"tensor '{name}' ({dtype}, shape [{string.Join(", ", shape)}]) needs {bytes} bytes, but its data_offsets span {end - begin}");
    }

    private ImmutableArray<long> ReadIntegers(ref Utf8JsonReader reader, string what)
    {
        Expect(reader, JsonTokenType.StartArray, what);
        ImmutableArray<long>.Builder values = ImmutableArray.CreateBuilder<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Expect(reader, JsonTokenType.Number, $"an element of the {what}");
            if (!reader.TryGetInt64(out long value) || value < 0 || values.Count == MaxDimensions)
            {
                throw new TensorFileException(_file, $"{what} must be at most {MaxDimensions} integers from 0 to 2^63 - 1");
            }

            values.Add(value);
        }

        return values.ToImmutable();
    }

    private void Expect(in Utf8JsonReader reader, JsonTokenType type, string what)
    {
        if (reader.TokenType != type)
        {
            throw new TensorFileException(_file, $"{what} is a JSON {reader.TokenType}; expected {type}");
        }
    }

    private void CheckLayout(long dataLength)
    {
        _entries.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        long position = 0;
        foreach (SafetensorsEntry entry in _entries)
        {
            if (entry.Begin != position)
            {
                throw new TensorFileException(_file, $"tensor '{entry.Name}' begins at byte {entry.Begin} of the data; expected {position}, where the tensor before it ends");
            }

            position = entry.End;
        }

        if (position != dataLength)
        {
            throw new TensorFileException(_file, $"the tensors have {position} bytes, the file has {dataLength} after the header; it is cut off or has bytes too many");
        }
    }
}

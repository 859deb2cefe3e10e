using System.Collections.Immutable;
using System.Numerics;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Files;

/// <summary>A GGUF file of version 2 or 3, memory-mapped: metadata, a list of tensors, their data. One that was split is all its shards together.</summary>
/// <remarks>
/// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Everything but the values is checked before any tensor exists.
/// Tensors of a type that the format has but that cannot be computed with are listed and refused only by <see cref="GetTensor"/>.
/// </remarks>
public sealed unsafe class GgufFile : IDisposable
{
    private const uint Magic = 0x4655_4747;
    private const int MaxDimensions = 4;
    private const string AlignmentKey = "general.alignment";
    private readonly MappedFile _mapping;
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _unsupported = new(StringComparer.Ordinal);
    private readonly List<GgufFile> _otherShards = [];

    private GgufFile(string path, MappedFile mapping)
    {
        Path = path;
        _mapping = mapping;
        var reader = new GgufReader(path, mapping.Pointer, mapping.Length);
        if (reader.Read<uint>("the magic number") != Magic)
        {
            string? found = ForeignContent.Describe(new ReadOnlySpan<byte>(mapping.Pointer, (int)Math.Min(mapping.Length, 512)));
            throw new TensorFileException(path, $"does not start with 'GGUF', as a GGUF file does{(found is null ? "" : $"; it is {found}")}");
        }

        Version = reader.Read<uint>("the version");
        if (Version is not (2 or 3))
        {
            throw new TensorFileException(path, $"GGUF version {Version} is not supported; expected 2 or 3, little-endian");
        }

        long tensorCount = reader.ReadCount(24, "the number of tensors");
        long valueCount = reader.ReadCount(13, "the number of metadata values");
        Metadata = new GgufMetadata(path, mapping, ReadValues(ref reader, valueCount));
        ReadTensors(ref reader, tensorCount);
    }

    /// <summary>The file, as the caller named it.</summary>
    public string Path { get; }

    /// <summary>Version of the format: 2 or 3.</summary>
    public uint Version { get; }

    /// <summary>Files that it lies in; more than 1 where llama.cpp's gguf-split divided it.</summary>
    public int ShardCount => 1 + _otherShards.Count;

    /// <summary>The metadata, of a file in shards that of the first.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors of supported types by name, outermost extent first: a linear weight is [outputs, inputs].</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _tensors;

    /// <summary>Name and type name of the tensors that cannot be computed with.</summary>
    public IReadOnlyDictionary<string, string> UnsupportedTensors => _unsupported;

    /// <summary>Maps and checks a file, and the others where it is one of several shards.</summary>
    /// <exception cref="TensorFileException">It is missing, damaged, hostile or of another version, or a shard is missing.</exception>
    public static GgufFile Open(string path)
    {
        GgufFile named = OpenOne(path);
        try
        {
            if (GgufShards.PathsBeside(named) is not { } shards)
            {
                return named;
            }

            named.Dispose();
            named = OpenOne(shards[0]);
            for (int i = 1; i < shards.Count; i++)
            {
                named.Join(OpenOne(shards[i]), i);
            }

            GgufShards.CheckTotal(named);
            return named;
        }
        catch
        {
            named.Dispose();
            throw;
        }
    }

    /// <summary>The tensor called <paramref name="name"/>.</summary>
    /// <exception cref="TensorFileException">There is none, or its type is not supported.</exception>
    public Tensor GetTensor(string name) => FindTensor(name) ?? throw new TensorFileException(Path, $"tensor '{name}' is missing");

    /// <summary>The tensor called <paramref name="name"/>, or null where there is none.</summary>
    /// <exception cref="TensorFileException">Its type is not supported.</exception>
    public Tensor? FindTensor(string name) => _unsupported.TryGetValue(name, out string? type)
        ? throw new TensorFileException(Path, $"tensor '{name}' has type {type}; supported are {GgufTensorType.Supported}")
        : _tensors.GetValueOrDefault(name);

    /// <summary>Unmaps the file; its tensors and metadata must not be used any more.</summary>
    public void Dispose()
    {
        _mapping.Dispose();
        _otherShards.ForEach(shard => shard.Dispose());
    }

    private static GgufFile OpenOne(string path)
    {
        MappedFile mapping = MappedFile.Open(path);
        try
        {
            return new GgufFile(path, mapping);
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    private void Join(GgufFile shard, int number)
    {
        _otherShards.Add(shard);
        GgufShards.CheckNumber(shard, number);
        foreach (string name in shard._tensors.Keys.Concat(shard._unsupported.Keys))
        {
            if (_tensors.ContainsKey(name) || _unsupported.ContainsKey(name))
            {
                throw new TensorFileException(shard.Path, $"tensor '{name}' is in an earlier shard too; expected it once");
            }
        }

        foreach ((string name, Tensor tensor) in shard._tensors)
        {
            _tensors.Add(name, tensor);
        }

        foreach ((string name, string type) in shard._unsupported)
        {
            _unsupported.Add(name, type);
        }
    }

    private static string Shape(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";

    private Dictionary<string, GgufValue> ReadValues(ref GgufReader reader, long count)
    {
        var values = new Dictionary<string, GgufValue>(StringComparer.Ordinal);
        for (long i = 0; i < count; i++)
        {
            string key = reader.ReadName("a metadata key");
            GgufValue value = reader.ReadValue(reader.Read<uint>($"type of metadata '{key}'"), $"metadata '{key}'");
            if (!values.TryAdd(key, value))
            {
                throw new TensorFileException(Path, $"metadata '{key}' is twice in the file");
            }
        }

        return values;
    }

    private void ReadTensors(ref GgufReader reader, long count)
    {
        var places = new List<(string Name, ulong Begin, ulong Bytes, ImmutableArray<long> Shape, GgufTensorType Type)>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (long i = 0; i < count; i++)
        {
            string name = reader.ReadName("a tensor name");
            if (!names.Add(name))
            {
                throw new TensorFileException(Path, $"tensor '{name}' is twice in the file");
            }

            ImmutableArray<long> shape = ReadShape(ref reader, name);
            uint typeId = reader.Read<uint>($"type of tensor '{name}'");
            GgufTensorType type = GgufTensorType.Find(typeId)
                ?? throw new TensorFileException(Path, $"tensor '{name}' has type {typeId}, which the format does not have (any more); supported are {GgufTensorType.Supported}");
            places.Add((name, reader.Read<ulong>($"offset of tensor '{name}'"), Bytes(name, shape, type), shape, type));
        }

        if (places.Count == 0)
        {
            return;
        }

        ulong alignment = Alignment();
        ulong start = ((ulong)reader.Position + alignment - 1) & ~(alignment - 1);
        ulong dataLength = start < (ulong)_mapping.Length ? (ulong)_mapping.Length - start : 0;
        ulong end = 0;
        foreach ((string name, ulong begin, ulong bytes, ImmutableArray<long> shape, GgufTensorType type) in places.OrderBy(place => place.Begin))
        {
            if (begin > dataLength || bytes > dataLength - begin)
            {
                throw new TensorFileException(Path, $"tensor '{name}' ({type.Name} {Shape(shape)}, {bytes} bytes) lies at {begin} of {dataLength} bytes of data; the file is cut off or damaged");
            }

            if (begin % alignment != 0 || begin < end)
            {
                throw new TensorFileException(Path, $"tensor '{name}' lies at {begin}; expected a multiple of {alignment} not below {end}, where the tensor before it ends");
            }

            end = begin + bytes;
            if (type.ElementType is { } elementType)
            {
                _tensors.Add(name, new Tensor(name, elementType, shape, _mapping.Pointer + start + begin, _mapping));
            }
            else
            {
                _unsupported.Add(name, type.Name);
            }
        }
    }

    private ImmutableArray<long> ReadShape(ref GgufReader reader, string name)
    {
        uint dimensions = reader.Read<uint>($"number of dimensions of tensor '{name}'");
        if (dimensions is 0 or > MaxDimensions)
        {
            throw new TensorFileException(Path, $"tensor '{name}' has {dimensions} dimensions; expected 1 to {MaxDimensions}");
        }

        long[] shape = new long[dimensions];
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            ulong extent = reader.Read<ulong>($"extent of tensor '{name}'");
            shape[i] = extent is > 0 and <= long.MaxValue
                ? (long)extent
                : throw new TensorFileException(Path, $"tensor '{name}' has an extent of {extent}; expected 1 to 2^63 - 1");
        }

        return [.. shape];
    }

    private ulong Bytes(string name, ImmutableArray<long> shape, GgufTensorType type)
    {
        if (shape[^1] % type.BlockElements != 0)
        {
            throw new TensorFileException(Path, $"tensor '{name}' has rows of {shape[^1]} elements; {type.Name} needs a multiple of {type.BlockElements}");
        }

        try
        {
            long elements = shape.Aggregate(1L, (product, extent) => checked(product * extent));
            return (ulong)checked(elements / type.BlockElements * type.BlockBytes);
        }
        catch (OverflowException error)
        {
            throw new TensorFileException(Path, $"tensor '{name}' has shape {Shape(shape)}, whose size overflows", error);
        }
    }

    private ulong Alignment()
    {
        long alignment = Metadata.FindInteger(AlignmentKey) ?? 32;
        return alignment is > 0 and <= uint.MaxValue && BitOperations.IsPow2(alignment)
            ? (ulong)alignment
            : throw new TensorFileException(Path, $"metadata '{AlignmentKey}' is {alignment}; expected a power of two");
    }
}

using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Files;

/// <summary>A safetensors file, memory-mapped: a length (8 bytes, little-endian), a JSON header, then the tensors' bytes without holes.</summary>
/// <remarks>Everything in the header is checked against the file before any tensor exists. Values are not looked at.</remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MappedFile? _mapping;

    private SafetensorsFile(string path, byte* data, long length, object owner)
    {
        Path = path;
        _mapping = owner as MappedFile;
        SafetensorsHeader header = SafetensorsHeader.Parse(path, data, length);
        Metadata = header.Metadata;
        var tensors = new Dictionary<string, Tensor>(header.Entries.Count, StringComparer.Ordinal);
        foreach (SafetensorsEntry entry in header.Entries)
        {
            tensors.Add(entry.Name, new Tensor(entry.Name, entry.Type, entry.Shape, data + header.DataStart + entry.Begin, owner));
        }

        Tensors = tensors;
    }

    /// <summary>The file, as the caller named it.</summary>
    public string Path { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors { get; }

    /// <summary>The header's free-form texts.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Maps and checks a file.</summary>
    /// <exception cref="TensorFileException">It is missing, damaged or hostile, or has a dtype that is not supported.</exception>
    public static SafetensorsFile Open(string path)
    {
        MappedFile mapping = MappedFile.Open(path);
        try
        {
            return new SafetensorsFile(path, mapping.Pointer, mapping.Length, mapping);
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    /// <summary>Reads a copy of <paramref name="bytes"/>; <paramref name="name"/> stands for the file in errors.</summary>
    /// <exception cref="TensorFileException">They are damaged or hostile, or have a dtype that is not supported.</exception>
    public static SafetensorsFile Parse(ReadOnlySpan<byte> bytes, string name)
    {
        var buffer = new NativeBuffer(bytes.Length);
        bytes.CopyTo(new Span<byte>(buffer.Pointer, bytes.Length));
        return new SafetensorsFile(name, buffer.Pointer, bytes.Length, buffer);
    }

    /// <summary>Writes a file whole or not at all: into a new file beside it, which then takes its place.</summary>
    /// <remarks>The same tensors and metadata give the same bytes: larger elements first, so that data is aligned, then by name.</remarks>
    /// <exception cref="ArgumentException">Two tensors have one name, or a tensor has a type that the format lacks.</exception>
    public static void Write(string path, IEnumerable<Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        Write(path, tensors.Select(SafetensorsWriter.Stored), metadata);

    /// <summary>Writes a file of tensors whose data is made as it is written.</summary>
    /// <inheritdoc cref="Write(string, IEnumerable{Tensor}, IReadOnlyDictionary{string, string})"/>
    public static void Write(string path, IEnumerable<TensorToWrite> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafetensorsWriter.Write(path, tensors, metadata ?? new Dictionary<string, string>());

    /// <summary>Unmaps the file; its tensors must not be used any more.</summary>
    public void Dispose() => _mapping?.Dispose();
}

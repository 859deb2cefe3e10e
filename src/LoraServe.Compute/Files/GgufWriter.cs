using System.Buffers;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Files;

/// <summary>Writes GGUF files of version 3, one tensor in memory at a time at most.</summary>
/// <remarks>Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.</remarks>
public static class GgufWriter
{
    private const int Alignment = 32;
    private const uint Version = 3;

    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">The file, by convention <c>*.gguf</c>.</param>
    /// <param name="metadata">Its metadata; each key once, and none that says another alignment.</param>
    /// <param name="tensors">Its tensors, in the order of the file.</param>
    /// <exception cref="ArgumentException">A key or a name is there twice, or a tensor has a type that the format lacks.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyCollection<GgufEntry> metadata, IReadOnlyCollection<TensorToWrite> tensors)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(tensors);
        byte[] header = Header(metadata, tensors);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            foreach (TensorToWrite tensor in tensors)
            {
                Pad(stream);
                tensor.WriteTo(stream);
            }

            Pad(stream);
        });
    }

    private static byte[] Header(IReadOnlyCollection<GgufEntry> metadata, IReadOnlyCollection<TensorToWrite> tensors)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write("GGUF"u8);
        GgufEntry.Append(buffer, Version);
        GgufEntry.Append(buffer, (ulong)tensors.Count);
        GgufEntry.Append(buffer, (ulong)metadata.Count);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (GgufEntry entry in metadata)
        {
            Check(names.Add(entry.Key), $"metadata '{entry.Key}' is there twice", nameof(metadata));
            GgufEntry.AppendText(buffer, entry.Key);
            buffer.Write(entry.Value);
        }

        names.Clear();
        long offset = 0;
        foreach (TensorToWrite tensor in tensors)
        {
            Check(names.Add(tensor.Name), $"two tensors are called '{tensor.Name}'", nameof(tensors));
            GgufEntry.AppendText(buffer, tensor.Name);
            GgufEntry.Append(buffer, (uint)tensor.Shape.Length);

            // Extents come innermost first.
            foreach (long extent in tensor.Shape.Reverse())
            {
                GgufEntry.Append(buffer, (ulong)extent);
            }

            GgufEntry.Append(buffer, StoredFormats.Of(tensor.Type).GgufId ?? throw new ArgumentException($"GGUF has no type {tensor.Type}", nameof(tensors)));
            GgufEntry.Append(buffer, (ulong)offset);
            offset += (tensor.ByteLength + Alignment - 1) / Alignment * Alignment;
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Check(bool holds, string otherwise, string parameter)
    {
        if (!holds)
        {
            throw new ArgumentException(otherwise, parameter);
        }
    }

    private static void Pad(Stream stream)
    {
        Span<byte> zeros = stackalloc byte[Alignment];
        zeros.Clear();
        stream.Write(zeros[..(int)((Alignment - (stream.Position % Alignment)) % Alignment)]);
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Files;

/// <summary>Writes safetensors files; see <see cref="SafetensorsFile"/>.</summary>
internal static unsafe class SafetensorsWriter
{
    private const int CopyBytes = 1 << 20;

    public static void Write(string path, IEnumerable<TensorToWrite> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        List<TensorToWrite> ordered = [.. tensors.OrderByDescending(tensor => tensor.Type.BlockBytes()).ThenBy(tensor => tensor.Name, StringComparer.Ordinal)];
        byte[] header = Header(ordered, metadata);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            ordered.ForEach(tensor => tensor.WriteTo(stream));
        });
    }

    public static TensorToWrite Stored(Tensor tensor) => new(tensor.Name, tensor.Type, tensor.Shape, stream => WriteData(stream, tensor));

    private static byte[] Header(List<TensorToWrite> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(stackalloc byte[sizeof(ulong)]);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            WriteEntries(json, tensors);
            json.WriteEndObject();
        }

        while (buffer.WrittenCount % sizeof(ulong) != 0)
        {
            buffer.Write(" "u8);
        }

        byte[] header = buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)(header.Length - sizeof(ulong)));
        return header;
    }

    private static void WriteEntries(Utf8JsonWriter json, List<TensorToWrite> tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { "__metadata__" };
        long offset = 0;
        foreach (TensorToWrite tensor in tensors)
        {
            if (!names.Add(tensor.Name))
            {
                throw new ArgumentException($"two tensors are called '{tensor.Name}'", nameof(tensors));
            }

            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype", StoredFormats.Of(tensor.Type).Dtypes.FirstOrDefault() ?? throw new ArgumentException($"safetensors has no dtype for {tensor.Type}, of '{tensor.Name}'", nameof(tensors)));
            json.WriteStartArray("shape");
            foreach (long extent in tensor.Shape)
            {
                json.WriteNumberValue(extent);
            }

            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(offset);
            json.WriteNumberValue(offset += tensor.ByteLength);
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private static void WriteData(Stream stream, Tensor tensor)
    {
        for (long position = 0; position < tensor.ByteLength; position += CopyBytes)
        {
            stream.Write(new ReadOnlySpan<byte>((byte*)tensor.Data + position, (int)Math.Min(CopyBytes, tensor.ByteLength - position)));
        }

        GC.KeepAlive(tensor);
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Training.Checkpoints;

/// <summary>A checkpoint as a safetensors file: the arrays are its tensors, and its metadata hold the state as JSON and a hash of it all.</summary>
/// <remarks>Arrays are written from where they lie: a checkpoint needs no memory of its own.</remarks>
internal static class CheckpointFile
{
    private const string StepKey = "step";
    private const string StateKey = "state";
    private const string HashKey = "sha256";
    private const int ChunkElements = 1 << 18;

    /// <summary>Writes a checkpoint.</summary>
    public static void Write(Stream stream, Checkpoint checkpoint)
    {
        KeyValuePair<string, float[]>[] arrays = [.. checkpoint.Arrays.OrderBy(entry => entry.Key, StringComparer.Ordinal)];
        string state = checkpoint.State.ToJsonString();
        stream.Write(Header(checkpoint.Step, state, arrays));
        foreach ((_, float[] values) in arrays)
        {
            ForEachChunk(values, stream.Write);
        }
    }

    /// <summary>Reads a checkpoint.</summary>
    /// <exception cref="TensorFileException">The file is damaged, or is no checkpoint.</exception>
    public static Checkpoint Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        string stepText = Text(StepKey);
        string stateText = Text(StateKey);
        if (!int.TryParse(stepText, out int step) || step < 0)
        {
            throw new TensorFileException(path, $"its step is '{stepText}'; expected a whole number from 0");
        }

        var arrays = new Dictionary<string, float[]>(StringComparer.Ordinal);
        foreach ((string name, Tensor tensor) in file.Tensors)
        {
            arrays.Add(name, tensor.Type == ElementType.F32 ? tensor.ToFloats() : throw new TensorFileException(path, $"tensor {tensor} is no part of a checkpoint; expected F32"));
        }

        string hash = Hash(step, stateText, [.. arrays.OrderBy(entry => entry.Key, StringComparer.Ordinal)]);
        if (hash != Text(HashKey))
        {
            throw new TensorFileException(path, $"its content has the hash {hash}; its header says {Text(HashKey)}, so it was changed after it was written");
        }

        return new Checkpoint(step, State(path, stateText), arrays);

        string Text(string key) => file.Metadata.TryGetValue(key, out string? text) ? text : throw new TensorFileException(path, $"no checkpoint: its metadata lack '{key}'");
    }

    private static JsonObject State(string path, string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? throw new TensorFileException(path, "its state is no JSON object");
        }
        catch (JsonException exception)
        {
            throw new TensorFileException(path, $"its state is no JSON ({exception.Message})", exception);
        }
    }

    private static byte[] Header(int step, string state, KeyValuePair<string, float[]>[] arrays)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(stackalloc byte[sizeof(ulong)]);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString(StepKey, $"{step}");
            json.WriteString(StateKey, state);
            json.WriteString(HashKey, Hash(step, state, arrays));
            json.WriteEndObject();
            long offset = 0;
            foreach ((string name, float[] values) in arrays)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", "F32");
                json.WriteStartArray("shape");
                json.WriteNumberValue(values.Length);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += (long)values.Length * sizeof(float));
                json.WriteEndArray();
                json.WriteEndObject();
            }

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

    private static string Hash(int step, string state, KeyValuePair<string, float[]>[] arrays)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append($"{step}");
        Append(state);
        foreach ((string name, float[] values) in arrays)
        {
            Append(name);
            Append($"{values.Length}");
            ForEachChunk(values, hash.AppendData);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Append(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + '\n'));
    }

    private static void ForEachChunk(float[] values, Action<ReadOnlySpan<byte>> use)
    {
        for (int start = 0; start < values.Length; start += ChunkElements)
        {
            use(MemoryMarshal.AsBytes(values.AsSpan(start, Math.Min(ChunkElements, values.Length - start))));
        }
    }
}

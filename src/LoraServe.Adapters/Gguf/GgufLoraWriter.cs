using System.Runtime.InteropServices;
using System.Text;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;

namespace LoraServe.Adapters.Gguf;

/// <summary>Writes LoRA adapters as GGUF files that llama.cpp loads.</summary>
/// <remarks>Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3; float32 tensors.</remarks>
public static class GgufLoraWriter
{
    private const int Alignment = 32;
    private const uint Version = 3;
    private const uint FloatType = 0;

    private enum ValueType : uint
    {
        Int32 = 5,
        Float32 = 6,
        String = 8,
        Array = 9,
    }

    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">The file, by convention <c>*.gguf</c>.</param>
    /// <param name="pairs">At most one for each module of <paramref name="model"/>. The format has one alpha for all; pairs of other scales are written with B scaled.</param>
    /// <param name="model">The base.</param>
    /// <param name="architecture">GGUF's name of the base's architecture, such as <c>llama</c>.</param>
    /// <param name="invocationTokens">Tokens that activate it (aLoRA); empty: always active.</param>
    /// <exception cref="ArgumentException">There is no pair, or two at one module.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyCollection<LowRank> pairs, IBaseModel model, string architecture, IReadOnlyCollection<int>? invocationTokens = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(architecture);
        LowRank first = pairs.FirstOrDefault(pair => pair.Rank > 0 && pair.Scale != 0) ?? throw new ArgumentException("There are no pairs to write.", nameof(pairs));
        float alpha = first.Scale * first.Rank;
        Dictionary<Site, LowRank> bySite = pairs.Where(pair => pair.Rank > 0).ToDictionary(pair => pair.Site);
        (string Name, FloatMatrix Values)[] tensors =
            [.. model.Modules.Where(module => bySite.ContainsKey(module.Site)).SelectMany(module => Tensors(bySite[module.Site], alpha, model, architecture))];
        AtomicFile.Write(path, stream =>
        {
            using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
            Write(writer, tensors, alpha, architecture, [.. invocationTokens ?? []]);
        });
    }

    private static IEnumerable<(string Name, FloatMatrix Values)> Tensors(LowRank pair, float alpha, IBaseModel model, string architecture)
    {
        string name = GgufLoraFormat.NameOf(pair.Site);

        // The table's A is stored by token, so that a row can be looked up.
        yield return (name + GgufLoraFormat.A, pair.Site.IsTable ? pair.A.Transposed() : pair.A);
        FloatMatrix b = pair.Scale == alpha / pair.Rank ? pair.B : pair.B.WithScaledRows([.. Enumerable.Repeat(pair.Scale * pair.Rank / alpha, pair.B.Rows)]);
        yield return (name + GgufLoraFormat.B, GgufRows.AreInterleaved(architecture, pair.Site) ? GgufRows.Interleave(b, model.HeadSize) : b);
    }

    private static void Write(BinaryWriter writer, (string Name, FloatMatrix Values)[] tensors, float alpha, string architecture, int[] invocationTokens)
    {
        writer.Write("GGUF"u8);
        writer.Write(Version);
        writer.Write((ulong)tensors.Length);
        writer.Write(invocationTokens.Length > 0 ? 5ul : 4ul);
        WriteText(writer, GgufLoraFormat.ArchitectureKey, architecture);
        WriteText(writer, GgufLoraFormat.TypeKey, GgufLoraFormat.Type);
        WriteText(writer, GgufLoraFormat.MethodKey, GgufLoraFormat.Method);
        WriteKey(writer, GgufLoraFormat.AlphaKey, ValueType.Float32);
        writer.Write(alpha);
        if (invocationTokens.Length > 0)
        {
            WriteKey(writer, GgufLoraFormat.InvocationTokensKey, ValueType.Array);
            writer.Write((uint)ValueType.Int32);
            writer.Write((ulong)invocationTokens.Length);
            Array.ForEach(invocationTokens, writer.Write);
        }

        long offset = 0;
        foreach ((string name, FloatMatrix values) in tensors)
        {
            // Extents come innermost first.
            WriteText(writer, name);
            writer.Write(2u);
            writer.Write((ulong)values.Columns);
            writer.Write((ulong)values.Rows);
            writer.Write(FloatType);
            writer.Write((ulong)offset);
            offset += Aligned(values.ByteLength);
        }

        foreach ((_, FloatMatrix values) in tensors)
        {
            Pad(writer);
            writer.Write(MemoryMarshal.AsBytes(values.Values.AsSpan()));
        }

        Pad(writer);
    }

    private static long Aligned(long length) => (length + Alignment - 1) / Alignment * Alignment;

    private static void Pad(BinaryWriter writer)
    {
        while (writer.BaseStream.Position % Alignment != 0)
        {
            writer.Write((byte)0);
        }
    }

    private static void WriteText(BinaryWriter writer, string key, string value)
    {
        WriteKey(writer, key, ValueType.String);
        WriteText(writer, value);
    }

    private static void WriteKey(BinaryWriter writer, string key, ValueType type)
    {
        WriteText(writer, key);
        writer.Write((uint)type);
    }

    private static void WriteText(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }
}

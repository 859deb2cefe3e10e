using System.Runtime.InteropServices;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Gguf;

/// <summary>Writes LoRA adapters as GGUF files that llama.cpp loads.</summary>
/// <remarks>Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3; float32 tensors.</remarks>
public static class GgufLoraWriter
{
    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">The file, by convention <c>*.gguf</c>.</param>
    /// <param name="pairs">At most one for each module of <paramref name="model"/>. The format has one alpha for all; pairs of other scales are written with B scaled.</param>
    /// <param name="model">The base.</param>
    /// <param name="architecture">GGUF's name of the base's architecture, such as <c>llama</c>.</param>
    /// <param name="invocationTokens">Tokens that activate it (aLoRA); empty: always active.</param>
    /// <exception cref="ArgumentException">There is no pair, or two at one module.</exception>
    /// <exception cref="AdapterFormatException">A pair is of an expert.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyCollection<LowRank> pairs, IBaseModel model, string architecture, IReadOnlyCollection<int>? invocationTokens = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(architecture);
        LowRank first = pairs.FirstOrDefault(pair => pair.Rank > 0 && pair.Scale != 0) ?? throw new ArgumentException("There are no pairs to write.", nameof(pairs));
        if (pairs.FirstOrDefault(pair => pair.Site.Expert >= 0) is { } ofExpert)
        {
            throw new AdapterFormatException($"{path}: the adapter has a pair at {ofExpert.Site}; pairs of experts are not written to GGUF. Use it as it is.");
        }

        float alpha = first.Scale * first.Rank;
        Dictionary<Site, LowRank> bySite = pairs.Where(pair => pair.Rank > 0).ToDictionary(pair => pair.Site);
        (string Name, FloatMatrix Values)[] tensors =
            [.. model.Modules.Where(module => bySite.ContainsKey(module.Site)).SelectMany(module => Tensors(bySite[module.Site], alpha, model, architecture))];
        List<GgufEntry> metadata =
        [
            GgufEntry.Of(GgufLoraFormat.ArchitectureKey, architecture),
            GgufEntry.Of(GgufLoraFormat.TypeKey, GgufLoraFormat.Type),
            GgufEntry.Of(GgufLoraFormat.MethodKey, GgufLoraFormat.Method),
            GgufEntry.Of(GgufLoraFormat.AlphaKey, alpha),
        ];
        if (invocationTokens is { Count: > 0 })
        {
            metadata.Add(GgufEntry.Of(GgufLoraFormat.InvocationTokensKey, invocationTokens));
        }

        GgufWriter.Write(path, metadata, [.. tensors.Select(tensor => ToWrite(tensor.Name, tensor.Values))]);
    }

    private static TensorToWrite ToWrite(string name, FloatMatrix values) =>
        new(name, ElementType.F32, [values.Rows, values.Columns], stream => stream.Write(MemoryMarshal.AsBytes(values.Values.AsSpan())));

    private static IEnumerable<(string Name, FloatMatrix Values)> Tensors(LowRank pair, float alpha, IBaseModel model, string architecture)
    {
        string name = GgufLoraFormat.NameOf(pair.Site);

        // The table's A is stored by token, so that a row can be looked up.
        yield return (name + GgufLoraFormat.A, pair.Site.IsTable ? pair.A.Transposed() : pair.A);
        FloatMatrix b = pair.Scale == alpha / pair.Rank ? pair.B : pair.B.WithScaledRows([.. Enumerable.Repeat(pair.Scale * pair.Rank / alpha, pair.B.Rows)]);
        yield return (name + GgufLoraFormat.B, GgufRows.ToGguf(architecture, pair.Site, b, model.HeadSize));
    }
}

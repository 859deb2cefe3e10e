using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using LoraServe.Compute.Files;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Conversion;

/// <summary>A matrix in NF4 with nested scales: the tensors that bitsandbytes keeps of it, whose names begin with the weight's.</summary>
/// <remarks>Blocks run over the flattened matrix. Scales are found before the codes are written and are a hundredth of the matrix; the codes are made as they are written.</remarks>
/// <param name="name">The weight's name.</param>
/// <param name="rows">The matrix's rows.</param>
/// <param name="importance">How much an error of each input counts; null: all alike.</param>
/// <param name="dtype">PyTorch's name of the type that the values are widened to.</param>
internal sealed class Nf4Parts(string name, MatrixRows rows, float[]? importance, string dtype)
{
    // The length of the state stands in the header before the number in it is known; blanks fill it up.
    private const int StateBytes = 256;

    private NestedScales? _scales;

    /// <summary>Bytes of all parts.</summary>
    public long ByteLength => All().Sum(part => part.ByteLength);

    /// <summary>The tensors.</summary>
    public IEnumerable<TensorToWrite> All()
    {
        long values = rows.Count * rows.Width;
        long blocks = Blocks(values, Nf4.DefaultBlockSize);
        yield return new TensorToWrite(name, ElementType.U8, [(values + 1) / 2, 1], WriteCodes);
        yield return new TensorToWrite($"{name}.absmax", ElementType.U8, [blocks], stream => stream.Write(Scales().Codes));
        yield return Floats("nested_absmax", Blocks(blocks, NestedScales.BlockSize), stream => stream.Write(MemoryMarshal.AsBytes(Scales().Maxima)));
        yield return Floats("nested_quant_map", NestedScales.Map.Length, stream => stream.Write(MemoryMarshal.AsBytes(NestedScales.Map)));
        yield return Floats("quant_map", Nf4.Levels.Length, stream => stream.Write(MemoryMarshal.AsBytes(Nf4.Levels)));
        yield return new TensorToWrite($"{name}.quant_state.bitsandbytes__nf4", ElementType.U8, [StateBytes], stream => stream.Write(Encoding.ASCII.GetBytes(State().PadRight(StateBytes))));
    }

    private TensorToWrite Floats(string part, long count, Action<Stream> write) => new($"{name}.{part}", ElementType.F32, [count], write);

    private string State() => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"quant_type": "nf4", "blocksize": {{Nf4.DefaultBlockSize}}, "dtype": "{{dtype}}", "shape": [{{rows.Count}}, {{rows.Width}}], "nested_blocksize": {{NestedScales.BlockSize}}, "nested_dtype": "float32", "nested_offset": {{(double)Scales().Offset:R}}}""");

    private static long Blocks(long values, int size) => (values + size - 1) / size;

    private NestedScales Scales()
    {
        if (_scales is null)
        {
            List<float> scales = [];
            Quantize((_, found) => scales.AddRange(found));
            _scales = NestedScales.Quantize(CollectionsMarshal.AsSpan(scales));
        }

        return _scales;
    }

    private void WriteCodes(Stream stream) => Quantize((codes, _) =>
    {
        byte[] packed = new byte[(codes.Length + 1) / 2];
        for (int i = 0; i < codes.Length; i++)
        {
            packed[i / 2] |= (byte)(i % 2 == 0 ? codes[i] << 4 : codes[i]);
        }

        stream.Write(packed);
    });

    /// <summary>Goes through the matrix a stretch of rows at a time, each of whole blocks but the last.</summary>
    private void Quantize(Action<byte[], float[]> take) => rows.ForEachStretch(Nf4.DefaultBlockSize, values =>
    {
        byte[] codes = new byte[values.Length];
        float[] scales = new float[Blocks(values.Length, Nf4.DefaultBlockSize)];
        Parallel.For(0, scales.Length, new ParallelOptions { MaxDegreeOfParallelism = rows.Workers }, block =>
        {
            int start = block * Nf4.DefaultBlockSize;
            int count = Math.Min(Nf4.DefaultBlockSize, values.Length - start);
            Span<float> weights = stackalloc float[importance is null ? 0 : count];
            for (int i = 0; i < weights.Length; i++)
            {
                weights[i] = importance![(start + i) % rows.Width];
            }

            scales[block] = Nf4.QuantizeBlock(values.AsSpan(start, count), weights, codes.AsSpan(start, count));
        });
        take(codes, scales);
    });
}

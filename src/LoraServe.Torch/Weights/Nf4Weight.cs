using LoraServe.Compute.Matrices;

namespace LoraServe.Torch.Weights;

/// <summary>A weight in NF4: widened anew for each product, what QLoRA trains over.</summary>
/// <param name="codes">Two a byte, the first in the high half: uint8 [rows · columns / 2].</param>
/// <param name="scales">float32 [blocks, 1].</param>
/// <param name="rows">Extent of the first index.</param>
/// <param name="columns">Extent of the second index.</param>
/// <param name="blockSize">Values that share a scale.</param>
/// <param name="levels">The values of the codes, float32 [16]; its own.</param>
/// <param name="type">What is computed in.</param>
internal sealed class Nf4Weight(Tensor codes, Tensor scales, long rows, long columns, int blockSize, Tensor levels, ScalarType type) : WeightMatrix
{
    /// <inheritdoc />
    public override long ByteLength => Bytes(codes) + Bytes(scales);

    /// <summary>Copies a matrix to a device.</summary>
    public static Nf4Weight Of(Nf4Matrix matrix, torch.Device device, ScalarType type) => new(
        torch.tensor(matrix.Codes.ToArray(), device: device),
        torch.tensor(matrix.Scales.ToArray(), matrix.Scales.Length, 1, device: device),
        matrix.Rows,
        matrix.Columns,
        matrix.BlockSize,
        torch.tensor(Nf4.Levels.ToArray(), device: device),
        type);

    /// <summary>Whether blocks are whole and codes come in pairs, as in any matrix of a real model.</summary>
    public static bool Fits(long rows, long columns, int blockSize) => rows * columns % Math.Max(blockSize, 2) == 0;

    /// <inheritdoc />
    public override Tensor Values() => Widen(codes, scales);

    /// <inheritdoc />
    public override Tensor Select(Tensor some)
    {
        if (columns % blockSize != 0)
        {
            return base.Select(some); // blocks cross rows
        }

        using DisposeScope scope = torch.NewDisposeScope();
        Tensor codesOfRows = codes.view(rows, columns / 2).index_select(0, some).flatten();
        return Widen(codesOfRows, scales.view(rows, columns / blockSize).index_select(0, some).view(-1, 1)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        codes.Dispose();
        scales.Dispose();
        levels.Dispose();
    }

    private Tensor Widen(Tensor someCodes, Tensor someScales)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor both = torch.stack([someCodes.bitwise_right_shift(4), someCodes.bitwise_and(15)], 1).flatten().to(ScalarType.Int32);
        return levels.index_select(0, both).view(-1, blockSize).mul_(someScales).to(type).view(-1, columns).MoveToOuterDisposeScope();
    }
}

using LoraServe.Torch.Native;

namespace LoraServe.Torch.Weights;

/// <summary>A weight in blocks of 32 codes with a scale each, as GGUF's Q8_0, Q4_0 and Q4_1 have it: widened anew for each product.</summary>
/// <param name="codes">int8 [rows, blocks, 32]; or of 4 bits, uint8 [rows, blocks, 16], the first half of a block in the low nibbles.</param>
/// <param name="scales">float16 [rows, blocks, 1].</param>
/// <param name="minima">Q4_1: what a code of 0 stands for, float16 [rows, blocks, 1]; null: a nibble of 8 stands for 0.</param>
/// <param name="type">What is computed in.</param>
internal sealed class BlockMatrix(Tensor codes, Tensor scales, Tensor? minima, ScalarType type) : WeightMatrix
{
    private const double NibbleOfZero = 8;

    /// <inheritdoc />
    public override long ByteLength => Bytes(codes) + Bytes(scales) + Bytes(minima);

    /// <inheritdoc />
    public override Tensor Values() => Widen(codes, scales, minima);

    /// <inheritdoc />
    public override Tensor Select(Tensor rows)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Widen(codes.index_select(0, rows), scales.index_select(0, rows), minima?.index_select(0, rows)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        codes.Dispose();
        scales.Dispose();
        minima?.Dispose();
    }

    private Tensor Widen(Tensor some, Tensor scale, Tensor? minimum)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor levels;
        if (some.dtype == ScalarType.Int8)
        {
            levels = some.to(ScalarType.Float32);
        }
        else
        {
            levels = torch.cat([some.bitwise_and(15), some.bitwise_right_shift(4)], 2).to(ScalarType.Float32);
            levels = minimum is null ? levels.Increase(-NibbleOfZero) : levels;
        }

        Tensor values = levels.mul_(scale.to(ScalarType.Float32));
        values = minimum is null ? values : values.Increase(minimum.to(ScalarType.Float32));
        return values.to(type).view(some.shape[0], -1).MoveToOuterDisposeScope();
    }
}

using LoraServe.Torch.Native;

namespace LoraServe.Torch.Weights;

/// <summary>A weight in codes with a scale for each run of them, as GGUF's quantised types have it: widened anew for each product.</summary>
/// <param name="codes">uint8 [rows, groups, 32]; or of up to 4 bits [rows, groups, 16], the first half of a group in the low nibbles.</param>
/// <param name="scales">[rows, runs, 1], float16 or float32.</param>
/// <param name="minima">What is added to a run's values, [rows, runs, 1]; null: nothing.</param>
/// <param name="first">What a code of 0 stands for; each other one for one more.</param>
/// <param name="levels">What codes stand for where that is uneven, float32 [16]; null: it is even.</param>
/// <param name="type">What is computed in.</param>
internal sealed class BlockMatrix(Tensor codes, Tensor scales, Tensor? minima, double first, Tensor? levels, ScalarType type) : WeightMatrix
{
    /// <summary>Codes of a group.</summary>
    public const int GroupElements = 32;

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
        levels?.Dispose();
    }

    private Tensor Widen(Tensor some, Tensor scale, Tensor? minimum)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor whole = some.shape[2] == GroupElements ? some : torch.cat([some.bitwise_and(15), some.bitwise_right_shift(4)], 2);
        Tensor values;
        if (levels is not null)
        {
            values = levels.index_select(0, whole.flatten().to(ScalarType.Int32));
        }
        else
        {
            values = whole.to(ScalarType.Float32);
            values = first == 0 ? values : values.Increase(first);
        }

        values = values.view(some.shape[0], scale.shape[1], -1).mul_(scale.to(ScalarType.Float32));
        values = minimum is null ? values : values.Increase(minimum.to(ScalarType.Float32));
        return values.to(type).view(some.shape[0], -1).MoveToOuterDisposeScope();
    }
}

using LoraServe.Compute.Kernels;
using LoraServe.Cpu.Resident;

namespace LoraServe.Cpu.Forward;

/// <summary>Rotates a row as <see cref="LinearEdit.Rotation"/> or <see cref="LinearEdit.OutputRotation"/> says.</summary>
internal static unsafe class RowRotation
{
    /// <summary>What <see cref="Apply"/> needs meanwhile, in widths of a row.</summary>
    public const int SpareWidths = 3;

    /// <summary>What <see cref="ApplyFactor"/> needs meanwhile, in blocks.</summary>
    public const int SpareBlocks = 2;

    /// <summary>Multiply-adds for each element of a row, at least 1.</summary>
    public static long Operations(LinearEdit edit)
    {
        long operations = 0;
        foreach (RotationFactor factor in edit.Rotation)
        {
            operations += factor.Size;
        }

        return operations + 1;
    }

    /// <summary>x ← x + weight · (F_n … F_1·x − x).</summary>
    /// <param name="edit">The factors.</param>
    /// <param name="weight">The request's weight of the adapter.</param>
    /// <param name="x">The row.</param>
    /// <param name="width">Its elements.</param>
    /// <param name="spare">Three rows of the same width.</param>
    public static void Apply(LinearEdit edit, float weight, float* x, int width, float* spare)
    {
        float* rotated = spare + (2 * width);
        new ReadOnlySpan<float>(x, width).CopyTo(new Span<float>(rotated, width));
        foreach (RotationFactor factor in edit.Rotation)
        {
            ApplyFactor(factor, 1, rotated, width, spare);
        }

        if (weight == 1)
        {
            new ReadOnlySpan<float>(rotated, width).CopyTo(new Span<float>(x, width));
            return;
        }

        for (int i = 0; i < width; i++)
        {
            x[i] += weight * (rotated[i] - x[i]);
        }
    }

    /// <summary>x ← x + weight · (F·x − x).</summary>
    /// <param name="factor">F.</param>
    /// <param name="weight">The request's weight of the adapter.</param>
    /// <param name="x">The row.</param>
    /// <param name="width">Its elements.</param>
    /// <param name="spare">Room for two blocks.</param>
    public static void ApplyFactor(RotationFactor factor, float weight, float* x, int width, float* spare)
    {
        int size = factor.Size;
        int* order = (int*)factor.Order;
        float* before = spare;
        float* after = spare + size;
        for (int first = 0; first < width; first += size)
        {
            for (int c = 0; c < size; c++)
            {
                before[c] = after[c] = x[order == null ? first + c : order[first + c]];
            }

            for (int j = 0; j < size; j++)
            {
                RowArithmetic.AddScaled((float*)factor.Changes + ((long)(first + j) * size), weight * before[j], after, size);
            }

            for (int c = 0; c < size; c++)
            {
                x[order == null ? first + c : order[first + c]] = after[c];
            }
        }
    }
}

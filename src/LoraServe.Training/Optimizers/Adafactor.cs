using System.Numerics.Tensors;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Training.Optimizers;

/// <summary>g/√v̂ with v̂ kept as the means of its rows and columns, scaled down where its root mean square exceeds a threshold.</summary>
/// <remarks>
/// The published algorithm without its own learning rates (transformers: <c>relative_step</c> and <c>scale_parameter</c> off).
/// A tensor of one dimension counts as one row, whose column means are the whole second moment; of more than two, each
/// matrix of the last two is factored by itself.
/// </remarks>
internal sealed class Adafactor(OptimizerOptions options) : UpdateRule
{
    /// <summary>1/√ of the column means, and one row's update, of the widest matrix so far.</summary>
    [ThreadStatic]
    private static float[]? s_columnFactors;

    [ThreadStatic]
    private static float[]? s_update;

    private readonly double? _beta1 = options.Beta1;
    private readonly double _epsilon = options.Epsilon ?? 1e-30;
    private readonly double _decay = options.WeightDecay;
    private readonly double _exponent = options.DecayExponent;
    private readonly double _clipThreshold = options.ClipThreshold;

    public override IReadOnlyList<UpdateSlot> SlotsOf(Parameter parameter)
    {
        int count = parameter.Values.Length;
        (int rows, int columns) = Matrix(parameter);
        List<UpdateSlot> slots = [new("step", 1), new("row_means", count / columns), new("column_means", count / rows)];
        if (_beta1 is not null)
        {
            slots.Add(new("first_moment", count));
        }

        return slots;
    }

    public override void Update(Parameter parameter, double rate, float[][] slots)
    {
        (int rows, int columns) = Matrix(parameter);
        (float[] rowMeans, float[] columnMeans) = (slots[1], slots[2]);
        double kept = 1 - Math.Pow(++slots[0][0], _exponent);
        AddSquares(parameter.Gradient, rows, columns, rowMeans, columnMeans, kept);
        if (s_update is null || s_update.Length < columns)
        {
            (s_columnFactors, s_update) = (new float[columns], new float[columns]);
        }

        double squares = 0;
        for (int matrix = 0; matrix < rowMeans.Length / rows; matrix++)
        {
            double mean = Prepare(matrix, rows, columns, rowMeans, columnMeans);
            for (int row = matrix * rows; row < (matrix + 1) * rows; row++)
            {
                squares += SquareSum.Of(UpdateOfRow(parameter, row, columns, Math.Sqrt(mean / rowMeans[row])));
            }
        }

        double scale = rate / Math.Max(1, Math.Sqrt(squares / Math.Max(1, parameter.Values.Length)) / _clipThreshold);
        float change = parameter.Decays ? (float)(1 - (_decay * rate)) : 1;
        for (int matrix = 0; matrix < rowMeans.Length / rows; matrix++)
        {
            double mean = Prepare(matrix, rows, columns, rowMeans, columnMeans);
            for (int row = matrix * rows; row < (matrix + 1) * rows; row++)
            {
                Span<float> update = UpdateOfRow(parameter, row, columns, scale * Math.Sqrt(mean / rowMeans[row]));
                if (_beta1 is { } beta1)
                {
                    Span<float> first = slots[3].AsSpan(row * columns, columns);
                    TensorPrimitives.Multiply(first, (float)beta1, first);
                    TensorPrimitives.Multiply(update, (float)(1 - beta1), update);
                    TensorPrimitives.Add(first, update, first);
                    first.CopyTo(update);
                }

                Span<float> values = parameter.Values.AsSpan(row * columns, columns);
                TensorPrimitives.Multiply(values, change, values);
                TensorPrimitives.Subtract(values, update, values);
            }
        }
    }

    private static (int Rows, int Columns) Matrix(Parameter parameter) => parameter.Shape switch
    {
        [.., var rows, var columns] => (Math.Max(1, rows), Math.Max(1, columns)),
        _ => (1, Math.Max(1, parameter.Values.Length)),
    };

    /// <summary>Decays the means of every row and column and adds those of the squared gradient.</summary>
    private void AddSquares(float[] gradient, int rows, int columns, float[] rowMeans, float[] columnMeans, double kept)
    {
        for (int row = 0; row < rowMeans.Length; row++)
        {
            double mean = (SquareSum.Of(gradient.AsSpan(row * columns, columns)) / columns) + _epsilon;
            rowMeans[row] = (float)((kept * rowMeans[row]) + ((1 - kept) * mean));
        }

        Span<double> sums = stackalloc double[BlockLength];
        for (int start = 0; start < columnMeans.Length;)
        {
            (int matrix, int column) = Math.DivRem(start, columns);
            Span<double> part = sums[..Math.Min(BlockLength, columns - column)];
            part.Clear();
            for (int row = matrix * rows; row < (matrix + 1) * rows; row++)
            {
                ReadOnlySpan<float> values = gradient.AsSpan((row * columns) + column, part.Length);
                for (int i = 0; i < part.Length; i++)
                {
                    part[i] += (double)values[i] * values[i];
                }
            }

            foreach (double sum in part)
            {
                columnMeans[start] = (float)((kept * columnMeans[start]) + ((1 - kept) * ((sum / rows) + _epsilon)));
                start++;
            }
        }
    }

    /// <summary>Fills the column factors of one matrix.</summary>
    /// <returns>The mean of its row means.</returns>
    private static double Prepare(int matrix, int rows, int columns, float[] rowMeans, float[] columnMeans)
    {
        Span<float> factors = s_columnFactors.AsSpan(0, columns);
        TensorPrimitives.Sqrt(columnMeans.AsSpan(matrix * columns, columns), factors);
        TensorPrimitives.Divide(1f, factors, factors);
        double sum = 0;
        foreach (float mean in rowMeans.AsSpan(matrix * rows, rows))
        {
            sum += mean;
        }

        return sum / rows;
    }

    private static Span<float> UpdateOfRow(Parameter parameter, int row, int columns, double rowFactor)
    {
        Span<float> update = s_update.AsSpan(0, columns);
        TensorPrimitives.Multiply(parameter.Gradient.AsSpan(row * columns, columns), s_columnFactors.AsSpan(0, columns), update);
        TensorPrimitives.Multiply(update, (float)rowFactor, update);
        return update;
    }
}

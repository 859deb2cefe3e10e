using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>The real part of two-dimensional inverse Fourier transforms of matrices that have a few coefficients at fixed frequencies; and the way back of derivatives.</summary>
/// <remarks>
/// Element (p, q) is Σ_k c_k·cos(2π(p·u_k/rows + q·v_k/columns)) / (rows · columns). The sum goes over columns' frequencies first, into
/// one complex row for each u that occurs, then over u as a product with cosines and sines. Those of p and rows − p are the same
/// but for the sines' sign, so that half of them do.
/// </remarks>
internal sealed class FourierBasis
{
    private readonly int _rows;
    private readonly int _columns;
    private readonly (int Wave, int Column)[] _frequencies;
    private readonly FloatMatrix _rowCosines;
    private readonly FloatMatrix _rowSines;
    private readonly float[] _columnCosines;
    private readonly float[] _columnSines;

    /// <summary>A basis for matrices [rows, columns].</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="frequencies">Each coefficient's frequencies along the rows and along the columns.</param>
    public FourierBasis(int rows, int columns, IReadOnlyList<(int Row, int Column)> frequencies)
    {
        (_rows, _columns) = (rows, columns);
        int[] waves = [.. frequencies.Select(frequency => frequency.Row).Distinct().Order()];
        _frequencies = [.. frequencies.Select(frequency => (Array.BinarySearch(waves, frequency.Row), frequency.Column))];
        (_columnCosines, _columnSines) = Circle(columns);
        (float[] cosines, float[] sines) = Circle(rows);
        int half = (rows / 2) + 1;
        (_rowCosines, _rowSines) = (new FloatMatrix(half, waves.Length), new FloatMatrix(half, waves.Length));
        for (int p = 0; p < half; p++)
        {
            for (int wave = 0; wave < waves.Length; wave++)
            {
                int angle = (int)((long)p * waves[wave] % rows);
                (_rowCosines.Row(p)[wave], _rowSines.Row(p)[wave]) = (cosines[angle], sines[angle]);
            }
        }
    }

    /// <summary>The matrix of coefficients, times a factor.</summary>
    public FloatMatrix Synthesize(ReadOnlySpan<float> coefficients, float factor)
    {
        int waves = _rowCosines.Columns;
        (FloatMatrix real, FloatMatrix imaginary) = (new FloatMatrix(waves, _columns), new FloatMatrix(waves, _columns));
        for (int k = 0; k < _frequencies.Length; k++)
        {
            (int wave, int column) = _frequencies[k];
            float coefficient = coefficients[k] * Normalized(factor);
            Span<float> re = real.Row(wave);
            Span<float> im = imaginary.Row(wave);
            int angle = 0;
            for (int q = 0; q < _columns; q++)
            {
                re[q] += coefficient * _columnCosines[angle];
                im[q] += coefficient * _columnSines[angle];
                angle = Next(angle, column);
            }
        }

        (FloatMatrix even, FloatMatrix odd) = (new FloatMatrix(_rowCosines.Rows, _columns), new FloatMatrix(_rowCosines.Rows, _columns));
        DenseProduct.Run(_rowCosines, real, even);
        DenseProduct.Run(_rowSines, imaginary, odd);
        var sum = new FloatMatrix(_rows, _columns);
        for (int p = 0; p < even.Rows; p++)
        {
            // Row 0 is its own mirror image, with sines of zero.
            TensorPrimitives.Add(even.Row(p), odd.Row(p), sum.Row((_rows - p) % _rows));
            TensorPrimitives.Subtract(even.Row(p), odd.Row(p), sum.Row(p));
        }

        return sum;
    }

    /// <summary>Adds the derivative by coefficients of one by the matrix that <see cref="Synthesize"/> made of them.</summary>
    public void Back(FloatMatrix gradient, float factor, Span<float> coefficients)
    {
        (FloatMatrix even, FloatMatrix odd) = (new FloatMatrix(_rowCosines.Rows, _columns), new FloatMatrix(_rowCosines.Rows, _columns));
        for (int p = 0; p < even.Rows; p++)
        {
            int mirrored = (_rows - p) % _rows;
            if (mirrored == p)
            {
                gradient.Row(p).CopyTo(even.Row(p));
                continue;
            }

            TensorPrimitives.Add(gradient.Row(p), gradient.Row(mirrored), even.Row(p));
            TensorPrimitives.Subtract(gradient.Row(mirrored), gradient.Row(p), odd.Row(p));
        }

        int waves = _rowCosines.Columns;
        (FloatMatrix real, FloatMatrix imaginary) = (new FloatMatrix(waves, _columns), new FloatMatrix(waves, _columns));
        DenseProduct.RunTransposed(_rowCosines, even, real);
        DenseProduct.RunTransposed(_rowSines, odd, imaginary);
        for (int k = 0; k < _frequencies.Length; k++)
        {
            (int wave, int column) = _frequencies[k];
            Span<float> re = real.Row(wave);
            Span<float> im = imaginary.Row(wave);
            float sum = 0;
            int angle = 0;
            for (int q = 0; q < _columns; q++)
            {
                sum += (re[q] * _columnCosines[angle]) + (im[q] * _columnSines[angle]);
                angle = Next(angle, column);
            }

            coefficients[k] += sum * Normalized(factor);
        }
    }

    private static (float[] Cosines, float[] Sines) Circle(int count)
    {
        double[] angles = [.. Enumerable.Range(0, count).Select(i => 2 * Math.PI * i / count)];
        return (Array.ConvertAll(angles, angle => (float)Math.Cos(angle)), Array.ConvertAll(angles, angle => (float)Math.Sin(angle)));
    }

    private float Normalized(float factor) => factor / ((float)_rows * _columns);

    private int Next(int angle, int step)
    {
        angle += step;
        return angle < _columns ? angle : angle - _columns;
    }
}

using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Methods.WaveFt;

/// <summary>Matrices of one level of the two-dimensional inverse wavelet transform that have a few coefficients at fixed places; and the way back of derivatives.</summary>
/// <remarks>
/// Coefficients lie in a matrix of four bands that is larger than the result by what the filter spoils at the edges. One in the first half
/// of the rows is synthesised along the columns with the low-pass filter, one in the second half with the high-pass; and one in the first
/// half of the columns along the rows likewise. The coefficient k of a band adds to what is at 2·k and after, less the edge.
/// </remarks>
internal sealed class WaveletBasis
{
    private readonly int _rows;
    private readonly int _columns;
    private readonly (int Row, int Column)[] _places;
    private readonly float[] _low;
    private readonly float[] _high;

    /// <summary>A basis for matrices [rows, columns].</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="places">Where each coefficient is, of the matrix of coefficients without its margins.</param>
    /// <param name="lowPass">The wavelet's low-pass filter, of an even length; null: coefficients are elements themselves.</param>
    public WaveletBasis(int rows, int columns, (int Row, int Column)[] places, float[]? lowPass)
    {
        (_rows, _columns, _places) = (rows, columns, places);
        _low = lowPass ?? [];
        _high = [.. _low.Select((_, i) => (i % 2 == 0 ? 1 : -1) * _low[^(i + 1)])];
    }

    /// <summary>The matrix of coefficients, times a factor.</summary>
    /// <param name="coefficients">One for each place.</param>
    /// <param name="factor">The factor.</param>
    /// <param name="target">Zeros, [rows, columns].</param>
    public void Synthesize(ReadOnlySpan<float> coefficients, float factor, FloatMatrix target)
    {
        for (int k = 0; k < _places.Length; k++)
        {
            float coefficient = coefficients[k] * factor;
            if (_low.Length == 0)
            {
                target.Row(_places[k].Row)[_places[k].Column] += coefficient;
                continue;
            }

            (Extent rows, Extent columns) = Find(_places[k]);
            for (int i = rows.First; i < rows.End; i++)
            {
                Span<float> row = target.Row(rows.Start + i);
                for (int j = columns.First; j < columns.End; j++)
                {
                    row[columns.Start + j] += coefficient * (rows.Filter[i] * columns.Filter[j]);
                }
            }
        }
    }

    /// <summary>Adds the derivative by coefficients of one by the matrix that <see cref="Synthesize"/> made of them.</summary>
    public void Back(FloatMatrix gradient, float factor, Span<float> coefficients)
    {
        for (int k = 0; k < _places.Length; k++)
        {
            if (_low.Length == 0)
            {
                coefficients[k] += factor * gradient.Row(_places[k].Row)[_places[k].Column];
                continue;
            }

            (Extent rows, Extent columns) = Find(_places[k]);
            float sum = 0;
            for (int i = rows.First; i < rows.End; i++)
            {
                ReadOnlySpan<float> row = gradient.Row(rows.Start + i);
                for (int j = columns.First; j < columns.End; j++)
                {
                    sum += row[columns.Start + j] * (rows.Filter[i] * columns.Filter[j]);
                }
            }

            coefficients[k] += factor * sum;
        }
    }

    /// <summary>What a coefficient adds to. Its column's half decides about the filter along the columns, as in PEFT, and its row's about the other.</summary>
    private (Extent Rows, Extent Columns) Find((int Row, int Column) place)
    {
        (int row, bool inLowerBands) = Band(place.Row, _rows);
        (int column, bool inLaterBands) = Band(place.Column, _columns);
        return (Of(row, _rows, inLaterBands), Of(column, _columns, inLowerBands));
    }

    /// <summary>A coefficient's number in its band along a side, and whether that is the second one.</summary>
    private (int Number, bool IsSecond) Band(int place, int length)
    {
        // As much as the filter is longer than two, and even: half of it before.
        int margin = _low.Length - 2 + ((length + _low.Length) % 2);
        int half = (length + margin) / 2;
        int padded = place + (margin / 2);
        return padded < half ? (padded, false) : (padded - half, true);
    }

    private Extent Of(int number, int length, bool isHigh)
    {
        int start = (2 * number) - (_low.Length - 2);
        return new Extent(isHigh ? _high : _low, start, Math.Max(0, -start), Math.Clamp(length - start, 0, _low.Length));
    }

    /// <summary>Elements of a filter, from the first to before the end, and where element 0 would be.</summary>
    private readonly record struct Extent(float[] Filter, int Start, int First, int End);
}

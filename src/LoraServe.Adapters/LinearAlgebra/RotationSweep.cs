using System.Numerics;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>The plane rotations of one QL step, from the last pair of neighbours to the first.</summary>
/// <param name="first">The first element that it turns.</param>
/// <param name="end">The last.</param>
internal sealed class RotationSweep(int first, int end)
{
    private readonly (double Cosine, double Sine)[] _rotations = new (double, double)[end - first];
    private int _count;

    /// <summary>Notes the rotation of elements <paramref name="element"/> and the one after it; that of the pair before comes next.</summary>
    public void Note(int element, double cosine, double sine)
    {
        _rotations[element - first] = (cosine, sine);
        _count++;
    }

    /// <summary>Turns rows back, beginning with the rotation that came last.</summary>
    /// <param name="rows">[size, <paramref name="count"/>].</param>
    /// <param name="count">Columns.</param>
    public void Undo(Span<double> rows, int count)
    {
        for (int i = end - _count; i < end; i++)
        {
            (double cosine, double sine) = _rotations[i - first];
            Turn(rows.Slice(i * count, count), rows.Slice((i + 1) * count, count), cosine, sine);
        }
    }

    private static void Turn(Span<double> here, Span<double> next, double cosine, double sine)
    {
        int i = 0;
        for (; i <= here.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            var left = new Vector<double>(here[i..]);
            var right = new Vector<double>(next[i..]);
            ((left * cosine) + (right * sine)).CopyTo(here[i..]);
            ((right * cosine) - (left * sine)).CopyTo(next[i..]);
        }

        for (; i < here.Length; i++)
        {
            (here[i], next[i]) = ((here[i] * cosine) + (next[i] * sine), (next[i] * cosine) - (here[i] * sine));
        }
    }
}

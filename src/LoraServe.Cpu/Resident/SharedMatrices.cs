using LoraServe.Adapters.Edits;
using LoraServe.Compute.Matrices;
using LoraServe.Models.Forward;

namespace LoraServe.Cpu.Resident;

/// <summary>Corners of shared matrices in compute form: each once in the process, as long as a resident adapter uses it.</summary>
internal static class SharedMatrices
{
    private static readonly Lock s_gate = new();
    private static readonly Dictionary<(string Digest, int Rows, int Columns), Entry> s_entries = [];

    /// <summary>The first rows and columns of a matrix, packed, until the use is disposed of.</summary>
    public static Use Rent(SharedMatrix matrix, int rows, int columns)
    {
        lock (s_gate)
        {
            (string Digest, int Rows, int Columns) key = (matrix.Digest, rows, columns);
            if (!s_entries.TryGetValue(key, out Entry? entry))
            {
                s_entries[key] = entry = new Entry(Pack(matrix.Values, rows, columns));
            }

            entry.Users++;
            return new Use(key, entry.Matrix);
        }
    }

    private static PackedMatrix Pack(FloatMatrix matrix, int rows, int columns)
    {
        if (columns == matrix.Columns)
        {
            return PackedMatrix.FromFloats(matrix.Values.AsSpan(0, rows * columns), rows, columns);
        }

        var corner = new FloatMatrix(rows, columns);
        for (int row = 0; row < rows; row++)
        {
            matrix.Row(row)[..columns].CopyTo(corner.Row(row));
        }

        return PackedMatrix.FromFloats(corner.Values, rows, columns);
    }

    /// <summary>One user's hold on a packed matrix; to be disposed of once.</summary>
    internal sealed class Use((string Digest, int Rows, int Columns) key, PackedMatrix matrix) : IDisposable
    {
        public PackedMatrix Matrix { get; } = matrix;

        public SharedPart Part => new($"{key.Digest}[{key.Rows}, {key.Columns}]", Matrix.ByteLength);

        public void Dispose()
        {
            lock (s_gate)
            {
                Entry entry = s_entries[key];
                if (--entry.Users == 0)
                {
                    s_entries.Remove(key);
                    entry.Matrix.Dispose();
                }
            }
        }
    }

    private sealed class Entry(PackedMatrix matrix)
    {
        public PackedMatrix Matrix { get; } = matrix;

        public int Users { get; set; }
    }
}

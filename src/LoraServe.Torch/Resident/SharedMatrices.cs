using LoraServe.Adapters.Edits;
using LoraServe.Models.Forward;

namespace LoraServe.Torch.Resident;

/// <summary>Corners of shared matrices in a device's memory: each once, as long as a resident adapter uses it.</summary>
internal sealed class SharedMatrices
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Digest, int Rows, int Columns, ScalarType Type), Entry> _entries = [];

    /// <summary>The first rows and columns of a matrix, until the use is disposed of.</summary>
    public Use Rent(SharedMatrix matrix, int rows, int columns, ScalarType type, torch.Device device)
    {
        lock (_gate)
        {
            (string Digest, int Rows, int Columns, ScalarType Type) key = (matrix.Digest, rows, columns, type);
            if (!_entries.TryGetValue(key, out Entry? entry))
            {
                _entries[key] = entry = new Entry(Corner(matrix.Values, rows, columns, type, device));
            }

            entry.Users++;
            return new Use(this, key, entry.Matrix);
        }
    }

    private static Tensor Corner(FloatMatrix matrix, int rows, int columns, ScalarType type, torch.Device device)
    {
        float[] corner = new float[checked(rows * columns)];
        for (int row = 0; row < rows; row++)
        {
            matrix.Row(row)[..columns].CopyTo(corner.AsSpan(row * columns));
        }

        return torch.tensor(corner, rows, columns, dtype: type, device: device).DetachFromDisposeScope();
    }

    /// <summary>One user's hold on a matrix; to be disposed of once.</summary>
    internal sealed class Use(SharedMatrices owner, (string Digest, int Rows, int Columns, ScalarType Type) key, Tensor matrix) : IDisposable
    {
        public Tensor Matrix { get; } = matrix;

        public SharedPart Part => new($"{key.Digest}[{key.Rows}, {key.Columns}]", Matrix.NumberOfElements * Matrix.ElementSize);

        public void Dispose()
        {
            lock (owner._gate)
            {
                Entry entry = owner._entries[key];
                if (--entry.Users == 0)
                {
                    owner._entries.Remove(key);
                    entry.Matrix.Dispose();
                }
            }
        }
    }

    private sealed class Entry(Tensor matrix)
    {
        public Tensor Matrix { get; } = matrix;

        public int Users { get; set; }
    }
}

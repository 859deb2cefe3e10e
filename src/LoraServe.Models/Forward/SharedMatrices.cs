using LoraServe.Adapters.Edits;

namespace LoraServe.Models.Forward;

/// <summary>Corners of matrices that adapters share, in a device's memory: each once, as long as a resident adapter uses it. Any thread may call.</summary>
/// <param name="bytes">Size of one in memory.</param>
/// <typeparam name="TMatrix">What the device has of a matrix.</typeparam>
public sealed class SharedMatrices<TMatrix>(Func<TMatrix, long> bytes)
    where TMatrix : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Key, Entry> _entries = [];

    /// <summary>The first rows and columns of a matrix, until the use is disposed of.</summary>
    /// <param name="matrix">The whole.</param>
    /// <param name="rows">How many of its rows.</param>
    /// <param name="columns">How many of its columns.</param>
    /// <param name="form">What tells forms of the same matrix apart, such as a type.</param>
    /// <param name="place">Brings a corner that is not there yet into the device's memory.</param>
    public Use Rent(SharedMatrix matrix, int rows, int columns, string form, Func<FloatMatrix, TMatrix> place)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        ArgumentNullException.ThrowIfNull(place);
        lock (_gate)
        {
            var key = new Key(matrix.Digest, rows, columns, form);
            if (!_entries.TryGetValue(key, out Entry? entry))
            {
                _entries[key] = entry = new Entry(place(Corner(matrix.Values, rows, columns)));
            }

            entry.Users++;
            return new Use(this, key, entry.Matrix);
        }
    }

    private static FloatMatrix Corner(FloatMatrix matrix, int rows, int columns)
    {
        var corner = new FloatMatrix(rows, columns);
        for (int row = 0; row < rows; row++)
        {
            matrix.Row(row)[..columns].CopyTo(corner.Row(row));
        }

        return corner;
    }

    private void Return(Key key)
    {
        lock (_gate)
        {
            Entry entry = _entries[key];
            if (--entry.Users == 0)
            {
                _entries.Remove(key);
                entry.Matrix.Dispose();
            }
        }
    }

    /// <summary>One user's hold on a matrix; to be disposed of once.</summary>
    public sealed class Use : IDisposable
    {
        private readonly SharedMatrices<TMatrix> _owner;
        private readonly Key _key;

        internal Use(SharedMatrices<TMatrix> owner, Key key, TMatrix matrix)
        {
            _owner = owner;
            _key = key;
            Matrix = matrix;
            Part = new SharedPart($"{key.Digest}[{key.Rows}, {key.Columns}]", owner.BytesOf(matrix));
        }

        /// <summary>The matrix.</summary>
        public TMatrix Matrix { get; }

        /// <summary>It as those who count memory know it.</summary>
        public SharedPart Part { get; }

        /// <inheritdoc />
        public void Dispose() => _owner.Return(_key);
    }

    internal readonly record struct Key(string Digest, int Rows, int Columns, string Form);

    private long BytesOf(TMatrix matrix) => bytes(matrix);

    private sealed class Entry(TMatrix matrix)
    {
        public TMatrix Matrix { get; } = matrix;

        public int Users { get; set; }
    }
}

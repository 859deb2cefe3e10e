using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace LoraServe.Training.Data;

/// <summary>A data set: rows in any form of <see cref="RowFormat"/>, as UTF-8 JSON Lines, a JSON array, either of them in gzip, or Parquet, read a row at a time.</summary>
/// <remarks>Kept in memory is where each row begins, not what it says. Blank lines are no rows. Any number of threads may read.</remarks>
public sealed class DataFile : IDisposable
{
    /// <summary>Longest line, so that a file without line ends is refused and not read whole.</summary>
    private const int MaximumLineBytes = 64 << 20;

    private const int BlockBytes = 1 << 20;

    private const int DescribedRows = 64;

    private readonly SafeFileHandle _handle;
    private readonly RowFormat _format;
    private readonly string _container;
    private readonly List<RowPlace> _rows = [];

    private DataFile(string path, SafeFileHandle handle, RowFormat format, string container, bool isArray)
    {
        Path = path;
        _handle = handle;
        _format = format;
        _container = container;
        string fingerprint = isArray ? IndexArray() : Index();

        // What was unpacked is another file; a run goes on with the one that was given.
        Fingerprint = container is "JSON Lines" ? fingerprint : FingerprintOf(path);
        if (_rows.Count == 0)
        {
            throw new TrainingDataException(path, "no rows. Each line must be one JSON object.");
        }
    }

    /// <summary>The file, as the caller named it.</summary>
    public string Path { get; }

    /// <summary>How many rows it has: at least one.</summary>
    public int Count => _rows.Count;

    /// <summary>SHA-256 of its bytes in hexadecimal digits: tells whether a run goes on with the data that it began with.</summary>
    public string Fingerprint { get; }

    /// <summary>Opens a file and finds its rows; they are looked into when they are read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">The form of its rows; by default what each row's fields say.</param>
    /// <exception cref="TrainingDataException">It has no rows, or a line of more than 64 MiB, or cannot be unpacked.</exception>
    /// <exception cref="IOException">It is missing or cannot be read.</exception>
    public static DataFile Open(string path, RowFormat format = RowFormat.Auto)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
        {
            throw new TrainingDataException(path, "a folder; expected a file of JSON Lines.");
        }

        SafeFileHandle handle = RowContainer.Open(path, out string container, out bool isArray);
        try
        {
            return new DataFile(path, handle, format, container, isArray);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>What was taken for what: rows, what holds them, their form, and fields of the first rows that are not read.</summary>
    /// <exception cref="TrainingDataException">One of the first rows is wrong.</exception>
    public string Describe()
    {
        DataRow[] first = [.. Enumerable.Range(0, Math.Min(Count, DescribedRows)).Select(Read)];
        string[] unread = [.. first.SelectMany(row => row.Unread).Distinct()];
        string forms = string.Join(" and ", first.Select(row => row.Format.ToString().ToLowerInvariant()).Distinct());
        return $"{Count} {(Count == 1 ? "row" : "rows")} of {forms} ({_container}){(unread.Length > 0 ? $"; not read: {string.Join(", ", unread)}" : "")}";
    }

    /// <summary>The line of a row, from 1.</summary>
    public int LineOf(int row) => _rows[row].Line;

    /// <summary>Reads a row.</summary>
    /// <param name="row">Counted from 0, without blank lines.</param>
    /// <exception cref="TrainingDataException">It is not a row of any kind; names file, line, what was found and what was expected.</exception>
    public DataRow Read(int row) => new RowParser(Path, LineOf(row), _format).Parse(Text(row));

    /// <summary>A row as it stands in the file.</summary>
    internal byte[] Text(int row)
    {
        RowPlace place = _rows[row];
        byte[] bytes = new byte[place.Length];
        for (int read = 0; read < bytes.Length;)
        {
            int count = RandomAccess.Read(_handle, bytes.AsSpan(read), place.Start + read);
            read += count > 0 ? count : throw new TrainingDataException(Path, place.Line, "the file has become shorter since it was opened. Leave it as it is while it is in use.");
        }

        return bytes;
    }

    /// <inheritdoc />
    public void Dispose() => _handle.Dispose();

    private static string FingerprintOf(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private string IndexArray()
    {
        foreach ((long start, int length, int line) in JsonArrayRows.Find(_handle, Path, MaximumLineBytes))
        {
            _rows.Add(new RowPlace(start, length, line));
        }

        return "";
    }

    /// <summary>Finds the rows.</summary>
    /// <returns>The fingerprint.</returns>
    private string Index()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[BlockBytes];
        (long position, long start, int line, bool isBlank) = (0, 0, 1, true);
        for (int count; (count = RandomAccess.Read(_handle, block, position)) > 0; position += count)
        {
            hash.AppendData(block, 0, count);
            int at = position == 0 && block.AsSpan(0, count).StartsWith("\uFEFF"u8) ? "\uFEFF"u8.Length : 0;
            start += at;
            while (at < count)
            {
                int feed = block.AsSpan(at, count - at).IndexOf((byte)'\n');
                int end = feed < 0 ? count : at + feed;
                isBlank = isBlank && !block.AsSpan(at, end - at).ContainsAnyExcept(" \t\r"u8);
                CheckLength(position + end);
                at = end;
                if (feed >= 0)
                {
                    Add(position + end);
                    at++;
                    (start, line, isBlank) = (position + at, line + 1, true);
                }
            }
        }

        Add(position);
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void CheckLength(long end)
        {
            if (end - start > MaximumLineBytes)
            {
                throw new TrainingDataException(Path, line, $"longer than {MaximumLineBytes >> 20} MiB. Each line must be one JSON object.");
            }
        }

        void Add(long end)
        {
            if (!isBlank)
            {
                _rows.Add(new RowPlace(start, (int)(end - start), line));
            }
        }
    }

    private readonly record struct RowPlace(long Start, int Length, int Line);
}

using LoraServe.Compute.Files;
using LoraServe.Serving;

namespace LoraServe.Server.Training;

/// <summary>Rows that a caller sends. Nothing of them is seen until they are complete; disposing it before deletes what came.</summary>
internal sealed class DataUpload : IAsyncDisposable
{
    private readonly FileStream _stream;
    private readonly long _maxBytes;
    private readonly Func<long, long, string> _complete;
    private long _rows;
    private bool _isInRow;

    /// <param name="path">Where the bytes go.</param>
    /// <param name="maxBytes">Most bytes taken.</param>
    /// <param name="complete">Takes the file over when it is whole, told its bytes and rows; gives its id.</param>
    public DataUpload(string path, long maxBytes, Func<long, long, string> complete)
    {
        _stream = AtomicFile.Create(path);
        _maxBytes = maxBytes;
        _complete = complete;
    }

    public long Bytes { get; private set; }

    /// <summary>Lines so far that are not empty.</summary>
    public long Rows => _rows + (_isInRow ? 1 : 0);

    /// <exception cref="EngineException">There are more bytes than allowed.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        Bytes += data.Length;
        if (Bytes > _maxBytes)
        {
            throw new EngineException(EngineError.InvalidUpload, $"The rows are more than {_maxBytes} bytes. Send fewer, or raise LoraServe:Training:MaxUploadBytes.");
        }

        Count(data.Span);
        await _stream.WriteAsync(data, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Keeps what came.</summary>
    /// <returns>The id that jobs name it by.</returns>
    /// <exception cref="EngineException">There is no row, or no room.</exception>
    public async Task<string> CompleteAsync()
    {
        if (Rows == 0)
        {
            throw new EngineException(EngineError.InvalidUpload, "There is no row. Send one JSON object a line.");
        }

        AtomicFile.Flush(_stream);
        await _stream.DisposeAsync().ConfigureAwait(false);
        return _complete(Bytes, Rows);
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        File.Delete(_stream.Name);
    }

    private void Count(ReadOnlySpan<byte> data)
    {
        foreach (byte one in data)
        {
            if (one == (byte)'\n')
            {
                _rows += _isInRow ? 1 : 0;
                _isInRow = false;
            }
            else
            {
                _isInRow |= one is not ((byte)' ' or (byte)'\t' or (byte)'\r');
            }
        }
    }
}

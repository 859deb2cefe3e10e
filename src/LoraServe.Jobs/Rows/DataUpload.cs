using LoraServe.Compute.Files;
using LoraServe.Jobs.Files;
using LoraServe.Serving.Requests;

namespace LoraServe.Jobs.Rows;

/// <summary>Rows that a caller sends. Nothing of them is seen until they are complete; disposing it before deletes what came.</summary>
public sealed class DataUpload : IAsyncDisposable
{
    private readonly DataFolder _folder;
    private readonly FileStream _stream;
    private long _rows;
    private bool _isInRow;

    /// <param name="folder">What keeps the rows.</param>
    /// <param name="sender">Whose they are.</param>
    /// <param name="id">What jobs will name them by.</param>
    /// <param name="fileName">What their sender calls them.</param>
    /// <param name="path">Where the bytes go.</param>
    /// <exception cref="IOException">The disk fails.</exception>
    internal DataUpload(DataFolder folder, Principal sender, string id, string fileName, string path)
    {
        _folder = folder;
        Sender = sender;
        Id = id;
        FileName = fileName;
        _stream = AtomicFile.Create(path);
    }

    internal Principal Sender { get; }

    internal string Id { get; }

    internal string FileName { get; }

    /// <summary>Where the bytes lie until they are complete.</summary>
    internal string Path => _stream.Name;

    /// <summary>Bytes so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>Lines so far that are not empty.</summary>
    public long Rows => _rows + (_isInRow ? 1 : 0);

    /// <summary>Takes the next bytes.</summary>
    /// <exception cref="EngineException">There are more bytes than allowed, or the disk fails.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        _folder.Expect(this, data.Length);
        Bytes += data.Length;
        Count(data.Span);
        try
        {
            await _stream.WriteAsync(data, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            throw _folder.Failed(failure);
        }
    }

    /// <summary>Keeps what came: it is on the disk, and stays, before this returns.</summary>
    /// <returns>The id that jobs name it by.</returns>
    /// <exception cref="EngineException">There is no row or no room, or the disk fails.</exception>
    public async Task<string> CompleteAsync()
    {
        if (Rows == 0)
        {
            throw new EngineException(EngineError.InvalidUpload, "There is no row. Send one JSON object a line.");
        }

        try
        {
            AtomicFile.Flush(_stream);
            await _stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            throw _folder.Failed(failure);
        }

        _folder.Take(this);
        return Id;
    }

    /// <summary>Deletes what is not complete.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _stream.DisposeAsync().ConfigureAwait(false);
            File.Delete(_stream.Name);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            // What is left of it goes at the next start; whoever sent it has been told what failed first.
        }
        finally
        {
            _folder.Forget(this);
        }
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

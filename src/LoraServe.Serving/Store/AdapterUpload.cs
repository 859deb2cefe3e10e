using LoraServe.Adapters.Files;
using LoraServe.Compute.Files;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Files;

namespace LoraServe.Serving.Store;

/// <summary>An adapter whose files a caller sends. Nothing of it is seen until it is complete; disposing it before deletes what came.</summary>
public sealed class AdapterUpload : IAsyncDisposable
{
    private const int CopyBytes = 1 << 20;
    private const int MostFiles = 4096;

    private static readonly string s_expected = $"{AdapterFileNames.Config} and {string.Join(" or ", AdapterFileNames.Weights)}, or {AdapterFileNames.PeftIndex} and its shards";

    private readonly string _folder;
    private readonly long _maxBytes;
    private readonly Func<string, CancellationToken, Task<PublishResult>> _publish;
    private readonly HashSet<string> _begun = [];
    private FileStream? _stream;
    private string _file = "";
    private long _bytes;
    private bool _isComplete;

    internal AdapterUpload(string folder, long maxBytes, Func<string, CancellationToken, Task<PublishResult>> publish)
    {
        _folder = folder;
        _maxBytes = maxBytes;
        _publish = publish;
        OnDisk(() => Directory.CreateDirectory(folder));
    }

    /// <summary>Appends to a file. Chunks of a file follow each other.</summary>
    /// <param name="file">
    /// <c>adapter_config.json</c>, or <c>adapter_model.safetensors</c> or its shards with their index, or <c>adapter.safetensors</c> of AdapterHub,
    /// <c>adapters.safetensors</c> of mlx-lm; or what it brings of text; or such a file of an adapter that it is made of (X-LoRA), below its number: <c>0/adapter_config.json</c>.
    /// </param>
    /// <param name="data">Its next bytes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EngineException">Another file, a file that was ended before, or more bytes than allowed.</exception>
    public async ValueTask WriteAsync(string file, ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        if (file != _file)
        {
            if (!AdapterFileNames.IsPart(file) || _begun.Count == MostFiles || !_begun.Add(file))
            {
                throw new EngineException(EngineError.InvalidUpload, $"A chunk is for another file than expected. Send {s_expected}, each in chunks that follow each other.");
            }

            OnDisk(() =>
            {
                Close();
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, file))!);
                _stream = AtomicFile.Create(Path.Combine(_folder, file));
            });
            _file = file;
        }

        _bytes += data.Length;
        if (_bytes > _maxBytes)
        {
            throw new EngineException(EngineError.InvalidUpload, $"The upload is larger than {_maxBytes} bytes. Send a smaller adapter, or raise the limit.");
        }

        try
        {
            await _stream!.WriteAsync(data, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Failed(failure);
        }
    }

    /// <summary>Takes a whole file of this machine.</summary>
    /// <param name="path">A file with one of these names.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task WriteFileAsync(string path, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[CopyBytes];
        await using FileStream stream = File.OpenRead(path);
        int count;
        while ((count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            await WriteAsync(Path.GetFileName(path), buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Checks and publishes what came.</summary>
    /// <exception cref="EngineException">A file is missing, or the adapter is refused.</exception>
    public async Task<PublishResult> CompleteAsync(CancellationToken cancellationToken = default)
    {
        OnDisk(Close);
        if (!_begun.Contains(AdapterFileNames.Config) || !(AdapterFileNames.Weights.Any(_begun.Contains) || _begun.Any(AdapterFileNames.IsShard)))
        {
            throw new EngineException(EngineError.InvalidUpload, $"{(_begun.Contains(AdapterFileNames.Config) ? AdapterFileNames.Weights[0] : AdapterFileNames.Config)} did not come. Send {s_expected}.");
        }

        OnDisk(() => Array.ForEach([.. Directory.GetDirectories(_folder), _folder], AtomicFile.FlushFolder));
        PublishResult result = await _publish(_folder, cancellationToken).ConfigureAwait(false);
        _isComplete = true;
        return result;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_stream is not null)
            {
                await _stream.DisposeAsync().ConfigureAwait(false);
            }

            if (!_isComplete && Directory.Exists(_folder))
            {
                Directory.Delete(_folder, recursive: true);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // What is left takes disk space only, until the next start.
        }
    }

    private static EngineException Failed(Exception failure) => StoreFolder.StorageFailed("keep the files of the upload", failure);

    private static void OnDisk(Action action)
    {
        try
        {
            action();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Failed(failure);
        }
    }

    // What was sent is on the disk before anybody is told that it is published.
    private void Close()
    {
        using FileStream? stream = _stream;
        _stream = null;
        if (stream is not null)
        {
            AtomicFile.Flush(stream);
        }
    }
}

using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace LoraServe.Serving.Store.Files;

/// <summary>Deletes folders that nobody needs any more, one after another on a thread of its own, so that nobody waits for the disk.</summary>
/// <remarks>What cannot be deleted takes disk space only: the log says so, and the next start tries again.</remarks>
internal sealed partial class DeletionQueue : IDisposable
{
    private readonly Channel<string> _folders = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Action<string> _delete;
    private readonly ILogger _logger;
    private readonly Task _deleting;

    /// <param name="delete">Deletes a folder, if it is still not needed when its turn comes.</param>
    /// <param name="logger">Where to log.</param>
    public DeletionQueue(Action<string> delete, ILogger logger)
    {
        _delete = delete;
        _logger = logger;
        _deleting = Task.Run(DeleteAsync);
    }

    /// <summary>Has a folder deleted, soon. Never waits; any thread may call.</summary>
    public void Add(string folder) => _folders.Writer.TryWrite(folder);

    /// <summary>Takes nothing more, and returns when everything is deleted.</summary>
    public void Dispose()
    {
        _folders.Writer.TryComplete();
        _deleting.GetAwaiter().GetResult();
    }

    private async Task DeleteAsync()
    {
        await foreach (string folder in _folders.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                _delete(folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (Path.Exists(folder))
                {
                    LogLeft(e, folder);
                }
            }
        }
    }

    [LoggerMessage(EventId = 26, Level = LogLevel.Warning, Message = "The files in {Folder} are not needed any more, but could not be deleted. The next start tries again.")]
    private partial void LogLeft(Exception failure, string folder);
}

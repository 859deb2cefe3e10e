using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Jobs.Files;
using LoraServe.Jobs.Options;
using LoraServe.Serving.Requests;
using Microsoft.Extensions.Logging;

namespace LoraServe.Jobs.Rows;

/// <summary>Rows that callers sent: <c>ID.jsonl</c>, and beside it <c>ID.json</c>, which is written first. Any thread may call.</summary>
internal sealed partial class DataFolder
{
    private const string Unfinished = ".part";
    private const string Temporary = ".tmp"; // of AtomicFile, where a kill left it
    private const string Rows = ".jsonl";
    private const string Description = ".json";
    private const int LongestName = 255;

    /// <summary>After which time to come back when there is no room.</summary>
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new(); // of what is known: files are written and deleted outside
    private readonly Dictionary<string, StoredData> _stored = [];
    private readonly Dictionary<string, StoredData> _taken = []; // being stored: they have their room, and nobody sees them
    private readonly List<DataUpload> _coming = [];
    private readonly string _root;
    private readonly TrainingOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Func<string, DataUse> _useOf;

    /// <summary>Finds what is there. Damaged rows are set aside and named in the log.</summary>
    /// <param name="root">Where they lie.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    /// <param name="useOf">What jobs still have of an id; called under this folder's lock.</param>
    public DataFolder(string root, TrainingOptions options, TimeProvider time, ILogger logger, Func<string, DataUse> useOf)
    {
        _root = root;
        _options = options;
        _time = time;
        _logger = logger;
        _useOf = useOf;
        Load();
    }

    /// <summary>Told of rows that went to make room although a job could have gone on with them. No lock is held.</summary>
    public Action<string> Dropped { get; set; } = _ => { };

    /// <summary>Begins to take rows.</summary>
    /// <exception cref="EngineException">The name cannot be printed, or the disk fails.</exception>
    public DataUpload Begin(Principal caller, string fileName)
    {
        if (fileName.Length > LongestName || fileName.Any(char.IsControl))
        {
            throw new EngineException(EngineError.InvalidUpload, $"filename has {fileName.Length} characters or control characters among them; expected at most {LongestName} that can be printed.");
        }

        string id = $"data-{Guid.NewGuid():n}";
        DataUpload upload;
        try
        {
            upload = new DataUpload(this, caller, id, fileName.Length > 0 ? fileName : id, Path.Combine(_root, id + Unfinished));
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            throw Failed(failure);
        }

        lock (_lock)
        {
            _coming.Add(upload);
        }

        return upload;
    }

    /// <summary>Refuses bytes of an upload that are too many, before they are written: of one upload, and of all that come at once.</summary>
    /// <exception cref="EngineException">They are.</exception>
    public void Expect(DataUpload upload, long more)
    {
        if (upload.Bytes + more > _options.MaxUploadBytes)
        {
            throw new EngineException(EngineError.InvalidUpload, $"The rows are more than {_options.MaxUploadBytes} bytes. Send fewer, or raise LoraServe:Training:MaxUploadBytes.");
        }

        lock (_lock)
        {
            long own = _coming.Where(other => other.Sender.Tenant == upload.Sender.Tenant).Sum(other => other.Bytes);
            if (own + more > ShareOf(upload.Sender) || _coming.Sum(other => other.Bytes) + more > _options.MaxStoredBytes)
            {
                throw Full($"Rows that come now take {own} bytes of tenant '{upload.Sender.Tenant}' already. Send them one after the other.");
            }
        }
    }

    /// <summary>Keeps the rows of an upload, whose bytes are flushed, and makes room for them; see <see cref="RoomPlan"/> for what goes.</summary>
    /// <exception cref="EngineException">There is no room, or the disk fails; nothing is kept.</exception>
    public void Take(DataUpload upload)
    {
        var data = new StoredData(upload.Id, upload.Sender.Tenant, upload.FileName, upload.Bytes, upload.Rows, _time.GetUtcNow());
        lock (_lock)
        {
            if (Plan(upload).Refusal is { } refusal)
            {
                throw Full(refusal);
            }

            _taken.Add(data.Id, data);
        }

        try
        {
            AtomicFile.WriteAllBytes(PathOf(data.Id, Description), JsonSerializer.SerializeToUtf8Bytes(data, StoredDataJson.Default.StoredData));
            AtomicFile.Move(upload.Path, PathOf(data.Id, Rows));
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            lock (_lock)
            {
                _taken.Remove(data.Id);
            }

            DeleteFiles(data.Id);
            throw Failed(failure);
        }

        IReadOnlyList<(StoredData Data, DataUse Use)> gone;
        lock (_lock)
        {
            // Chosen again: a job may have named some of them meanwhile. Nothing goes before what it goes for is there.
            _taken.Remove(data.Id);
            gone = Plan(upload).Gone;
            foreach ((StoredData old, _) in gone)
            {
                _stored.Remove(old.Id);
            }

            _stored.Add(data.Id, data);
        }

        foreach ((StoredData old, DataUse use) in gone)
        {
            DeleteFiles(old.Id);
            if (use == DataUse.Kept)
            {
                Dropped(old.Id);
            }
        }
    }

    /// <summary>An upload comes no more, whatever became of it.</summary>
    public void Forget(DataUpload upload)
    {
        lock (_lock)
        {
            _coming.Remove(upload);
        }
    }

    /// <summary>Finds rows that a caller sent; null where there are none of that id, or they are another tenant's.</summary>
    public (string Path, string Name)? Find(Principal caller, string id)
    {
        lock (_lock)
        {
            return _stored.TryGetValue(id, out StoredData? data) && (caller.IsAdmin || data.Owner == caller.Tenant) ? (PathOf(id, Rows), data.FileName) : null;
        }
    }

    /// <summary>Deletes rows that no job has a use for any more. Not to be called under a lock that <c>useOf</c> takes.</summary>
    public void Release(string id)
    {
        lock (_lock)
        {
            if (!_stored.ContainsKey(id) || _useOf(id) != DataUse.None)
            {
                return;
            }

            _stored.Remove(id);
        }

        DeleteFiles(id);
    }

    /// <summary>Logs a failure of the disk.</summary>
    /// <returns>What the caller is told.</returns>
    public EngineException Failed(Exception failure)
    {
        LogNotStored(failure);
        return StorageFailure.Refusal(failure);
    }

    private RoomPlan Plan(DataUpload upload) => RoomPlan.For(
        upload.Bytes,
        upload.Sender,
        [.. _stored.Values.Select(data => (data, _useOf(data.Id))), .. _taken.Values.Select(data => (data, DataUse.Needed))],
        _options.MaxStoredBytes,
        ShareOf(upload.Sender));

    private long ShareOf(Principal sender) => sender.IsAdmin ? _options.MaxStoredBytes : _options.StoredBytesPerTenant;

    private static EngineException Full(string message) => new(EngineError.QueueFull, message) { RetryAfter = s_retry };

    private void Load()
    {
        Directory.CreateDirectory(_root);
        foreach (string path in Directory.GetFiles(_root).Where(path => !DamagedFiles.IsAside(path)))
        {
            string id = Path.GetFileNameWithoutExtension(path);
            switch (Path.GetExtension(path))
            {
                case Rows:
                    Load(id);
                    break;
                case Description when !File.Exists(PathOf(id, Rows)):
                    // Rows come last and go first: these were never there, or are gone.
                    DeleteFiles(id);
                    break;
                case Unfinished or Temporary:
                    Delete(path);
                    break;
            }
        }
    }

    private void Load(string id)
    {
        string description = PathOf(id, Description);
        if (WhatIsWrong(id, description) is not { } problem)
        {
            return;
        }

        DamagedFiles.SetAside(PathOf(id, Rows), problem, _logger);
        if (File.Exists(description))
        {
            DamagedFiles.SetAside(description, problem, _logger);
        }
    }

    private string? WhatIsWrong(string id, string description)
    {
        try
        {
            StoredData? data = JsonSerializer.Deserialize(File.ReadAllBytes(description), StoredDataJson.Default.StoredData);
            if (data is not { Owner: not null, FileName: not null } || data.Id != id)
            {
                return $"{description} does not describe {id}. Send the rows again.";
            }

            long bytes = new FileInfo(PathOf(id, Rows)).Length;
            if (bytes != data.Bytes)
            {
                return $"The rows have {bytes} bytes and had {data.Bytes}. Send them again.";
            }

            _stored.Add(id, data);
            return null;
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            return $"{description}: {failure.Message} Send the rows again.";
        }
    }

    // The rows first: a description without rows is no upload.
    private void DeleteFiles(string id)
    {
        Delete(PathOf(id, Rows));
        Delete(PathOf(id, Description));
    }

    private void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            LogNotDeleted(path, failure);
        }
    }

    private string PathOf(string id, string extension) => Path.Combine(_root, id + extension);

    [LoggerMessage(EventId = 30, Level = LogLevel.Error, Message = "Rows that were sent could not be stored; their sender was told.")]
    private partial void LogNotStored(Exception exception);

    [LoggerMessage(EventId = 31, Level = LogLevel.Warning, Message = "{Path} could not be deleted.")]
    private partial void LogNotDeleted(string path, Exception exception);
}

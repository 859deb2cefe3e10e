using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Serving;

namespace LoraServe.Server.Training;

/// <summary>Rows that callers sent: <c>ID.jsonl</c>, and beside it <c>ID.json</c>, which is written first. Any thread may call.</summary>
internal sealed class DataFolder
{
    private const string Unfinished = ".part";
    private const int LongestName = 255;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, StoredData> _stored = [];
    private readonly string _root;
    private readonly TrainingOptions _options;
    private readonly TimeProvider _time;
    private readonly Func<string, bool> _isNeeded;

    /// <param name="root">Where they lie.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">The clock.</param>
    /// <param name="isNeeded">Whether a job that has not ended, or is being started, names an id.</param>
    public DataFolder(string root, TrainingOptions options, TimeProvider time, Func<string, bool> isNeeded)
    {
        _root = root;
        _options = options;
        _time = time;
        _isNeeded = isNeeded;
        Directory.CreateDirectory(root);
        Array.ForEach(Directory.GetFiles(root, $"*{Unfinished}"), File.Delete);
        foreach (string file in Directory.EnumerateFiles(root, "*.jsonl"))
        {
            string description = Path.ChangeExtension(file, ".json");
            StoredData data = JsonSerializer.Deserialize(File.ReadAllBytes(description), StoredDataJson.Default.StoredData) ?? throw new InvalidDataException($"{description} is damaged. Remove it and {file}.");
            _stored.Add(data.Id, data);
        }
    }

    /// <summary>Begins to take rows.</summary>
    public DataUpload Begin(Principal caller, string fileName)
    {
        if (fileName.Length > LongestName || fileName.Any(char.IsControl))
        {
            throw new EngineException(EngineError.InvalidUpload, $"filename has {fileName.Length} characters or control characters among them; expected at most {LongestName} that can be printed.");
        }

        string id = $"data-{Guid.NewGuid():n}";
        string unfinished = Path.Combine(_root, id + Unfinished);
        return new DataUpload(unfinished, _options.MaxUploadBytes, (bytes, rows) =>
        {
            var data = new StoredData(id, caller.Tenant, fileName.Length > 0 ? fileName : id, bytes, rows, _time.GetUtcNow());
            lock (_lock)
            {
                MakeRoom(bytes);
                AtomicFile.WriteAllBytes(Path.ChangeExtension(PathOf(id), ".json"), JsonSerializer.SerializeToUtf8Bytes(data, StoredDataJson.Default.StoredData));
                AtomicFile.Move(unfinished, PathOf(id));
                _stored.Add(id, data);
            }

            return id;
        });
    }

    /// <summary>Finds rows that a caller sent; null where there are none of that id, or they are another tenant's.</summary>
    public (string Path, string Name)? Find(Principal caller, string id)
    {
        lock (_lock)
        {
            return _stored.TryGetValue(id, out StoredData? data) && (caller.IsAdmin || data.Owner == caller.Tenant) ? (PathOf(id), data.FileName) : null;
        }
    }

    /// <summary>Deletes rows that no job needs any more. Not to be called under a lock that <c>isNeeded</c> takes.</summary>
    public void Release(string id)
    {
        lock (_lock)
        {
            if (_stored.TryGetValue(id, out StoredData? data) && !_isNeeded(id))
            {
                Delete(data);
            }
        }
    }

    private void MakeRoom(long bytes)
    {
        long stored = _stored.Values.Sum(data => data.Bytes);
        foreach (StoredData data in _stored.Values.Where(data => !_isNeeded(data.Id)).OrderBy(data => data.At).ToArray())
        {
            if (stored + bytes <= _options.MaxStoredBytes)
            {
                return;
            }

            Delete(data);
            stored -= data.Bytes;
        }

        if (stored + bytes > _options.MaxStoredBytes)
        {
            throw new EngineException(EngineError.InvalidUpload, $"Rows of waiting jobs take {stored} of {_options.MaxStoredBytes} bytes, and these would take {bytes}. Wait for jobs to end, or raise LoraServe:Training:MaxStoredBytes.");
        }
    }

    // The rows first: a description without rows is no upload.
    private void Delete(StoredData data)
    {
        File.Delete(PathOf(data.Id));
        File.Delete(Path.ChangeExtension(PathOf(data.Id), ".json"));
        _stored.Remove(data.Id);
    }

    private string PathOf(string id) => Path.Combine(_root, $"{id}.jsonl");
}

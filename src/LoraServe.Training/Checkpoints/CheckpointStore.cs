using System.Globalization;
using LoraServe.Compute.Files;

namespace LoraServe.Training.Checkpoints;

/// <summary>The checkpoints of a run: the last two, each written whole or not at all, so that a kill at any moment leaves one to go on from.</summary>
/// <param name="folder">Where they lie; made when the first is saved.</param>
internal sealed class CheckpointStore(string folder)
{
    private const int Generations = 2;
    private const string Prefix = "step-";
    private const string Extension = ".safetensors";
    private const string Unfinished = ".tmp";

    /// <summary>Stands between a file and what writes it; a disk that fails, in tests.</summary>
    internal Func<Stream, Stream> Wrap { get; init; } = file => file;

    /// <summary>The step of the newest checkpoint, whole or not; 0 where there is none.</summary>
    public int LastStep => Files() is [var newest, ..] ? newest.Step : 0;

    /// <summary>Writes a checkpoint beside the others, puts it in place once it is on the disk, and deletes all but the one before it.</summary>
    /// <exception cref="CheckpointException">It could not be written; those before it are as they were.</exception>
    public void Save(Checkpoint checkpoint)
    {
        string path = Path.Combine(folder, $"{Prefix}{checkpoint.Step.ToString("D9", CultureInfo.InvariantCulture)}{Extension}");
        try
        {
            Directory.CreateDirectory(folder);
            AtomicFile.Write(path, file => CheckpointFile.Write(Wrap(file), checkpoint));
            DeleteOld(checkpoint.Step);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, $"the checkpoint cannot be written ({exception.Message}) Those before it are intact; make room or permit writing, and resume the run.", exception);
        }
    }

    /// <summary>Reads the newest checkpoint that is not damaged.</summary>
    /// <param name="damaged">Told of each newer one that is.</param>
    /// <returns>Null where the folder has no checkpoint.</returns>
    /// <exception cref="CheckpointException">All that there are are damaged.</exception>
    public Checkpoint? Load(Action<string> damaged)
    {
        Exception? last = null;
        foreach ((_, string path) in Files())
        {
            try
            {
                return CheckpointFile.Read(path);
            }
            catch (TensorFileException exception)
            {
                damaged(exception.Message);
                last = exception;
            }
        }

        return last is null ? null : throw new CheckpointException(folder, $"every checkpoint is damaged, the oldest so: {last.Message}. Delete them to begin the run anew.", last);
    }

    /// <summary>Deletes what the newest two do not need: older ones, ones of later steps that the run was taken back from, and what a kill left unfinished.</summary>
    private void DeleteOld(int step)
    {
        foreach ((_, string path) in Files().Where(file => file.Step > step).Concat(Files().Where(file => file.Step <= step).Skip(Generations)))
        {
            File.Delete(path);
        }

        foreach (string path in Directory.EnumerateFiles(folder, $"{Prefix}*{Extension}{Unfinished}"))
        {
            File.Delete(path);
        }
    }

    /// <summary>The checkpoints, newest first.</summary>
    private IReadOnlyList<(int Step, string Path)> Files() => !Directory.Exists(folder) ? [] :
    [
        .. Directory.EnumerateFiles(folder, $"{Prefix}*{Extension}")
            .Select(path => (IsStep: int.TryParse(Path.GetFileNameWithoutExtension(path)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int step), Step: step, Path: path))
            .Where(file => file.IsStep)
            .Select(file => (file.Step, file.Path))
            .OrderByDescending(file => file.Step),
    ];
}

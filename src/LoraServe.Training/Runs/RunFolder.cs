using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Compute.Files;
using LoraServe.Training.Checkpoints;
using LoraServe.Training.Data;
using LoraServe.Training.Methods;
using LoraServe.Training.Reports;

namespace LoraServe.Training.Runs;

/// <summary>What lies in a run's folder: its log, its checkpoints, and in the end the adapter and the report.</summary>
internal sealed class RunFolder
{
    private const string ParameterPrefix = "parameter.";
    private const string OptimizerPrefix = "optimizer.";
    private const string MethodPrefix = "method.";
    private const string BestPrefix = "best.";
    private readonly CheckpointStore _checkpoints;
    private readonly string _checkpointFolder;
    private readonly string _settings;

    /// <summary>Makes the folder where it is missing.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="options">The run's settings: a checkpoint of others is refused.</param>
    /// <param name="dataFingerprint">What tells the rows from others.</param>
    /// <exception cref="IOException">It cannot be made.</exception>
    public RunFolder(string path, TrainingJobOptions options, string dataFingerprint)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path}: the run's folder cannot be made{(File.Exists(path) ? ", since that is a file" : $" ({failure.Message})")}. Name another folder.", failure);
        }

        Path = path;
        _checkpointFolder = CheckpointsOf(path);
        _checkpoints = new CheckpointStore(_checkpointFolder);
        _settings = $"{JsonSerializer.Serialize(options)} {dataFingerprint}";
    }

    /// <summary>The step of the furthest checkpoint in a folder; 0 where there is none.</summary>
    public static int CheckpointedStep(string path) => new CheckpointStore(CheckpointsOf(path)).LastStep;

    /// <summary>The folder, which in the end is the adapter's.</summary>
    public string Path { get; }

    /// <summary>A line for each step.</summary>
    public string MetricsFile => System.IO.Path.Combine(Path, MetricsLog.FileName);

    /// <summary>The report.</summary>
    public string ReportFile => System.IO.Path.Combine(Path, HtmlReport.FileName);

    /// <summary>Size of what was saved.</summary>
    public long AdapterBytes() => Directory.EnumerateFiles(Path, "*.safetensors", SearchOption.AllDirectories)
        .Where(file => !file.StartsWith(_checkpointFolder, StringComparison.Ordinal))
        .Sum(file => new FileInfo(file).Length);

    /// <summary>Saves what was trained: first apart, then each file, or each part's folder, in its place.</summary>
    public void Save(TrainableAdapter adapter)
    {
        string apart = System.IO.Path.Combine(Path, "saved");
        adapter.Save(apart);

        // The configuration comes last: with it a reader finds everything else.
        foreach (string entry in Directory.EnumerateFileSystemEntries(apart).OrderBy(entry => entry.EndsWith(".json", StringComparison.Ordinal)))
        {
            string place = System.IO.Path.Combine(Path, System.IO.Path.GetFileName(entry));
            if (Directory.Exists(place))
            {
                Directory.Delete(place, recursive: true);
            }

            AtomicFile.Move(entry, place);
        }

        Directory.Delete(apart);
    }

    /// <summary>Writes a checkpoint.</summary>
    /// <exception cref="CheckpointException">It cannot be written; those before it are whole.</exception>
    public void Write(AdapterTraining training, BatchCursor cursor, BestParameters best, GrowingRank? growing, long tokens)
    {
        var arrays = new Dictionary<string, float[]>();
        foreach (Parameter parameter in training.Adapter.Parameters)
        {
            arrays.Add(ParameterPrefix + parameter.Name, parameter.Values);
        }

        Add(arrays, OptimizerPrefix, training.Optimizer.State);
        Add(arrays, MethodPrefix, training.Adapter.State);
        Add(arrays, BestPrefix, best.Values);
        var state = new JsonObject
        {
            ["settings"] = _settings,
            ["epoch"] = cursor.Epoch,
            ["position"] = cursor.Position,
            ["batch"] = cursor.Batch,
            ["tokens"] = tokens,
            ["best_loss"] = double.IsFinite(best.Loss) ? best.Loss : null,
            ["waited"] = best.Waited,
        };
        if (growing is not null)
        {
            state["rank"] = growing.Rank;
            state["losses"] = new JsonArray([.. growing.Losses.Select(loss => (JsonNode)loss)]);
        }

        _checkpoints.Save(new Checkpoint(training.Step, state, arrays));
    }

    /// <summary>Goes on from the newest checkpoint, where there is one.</summary>
    /// <returns>Tokens trained on before it.</returns>
    /// <exception cref="CheckpointException">All checkpoints are damaged.</exception>
    /// <exception cref="TrainingOptionsException">The checkpoint is of other settings or other data.</exception>
    public long Restore(AdapterTraining training, RunData data, BestParameters best, GrowingRank? growing)
    {
        // A damaged one is passed over: the one before it is as good, a few steps back.
        if (_checkpoints.Load(_ => { }) is not { } checkpoint)
        {
            return 0;
        }

        JsonObject state = checkpoint.State;
        if (state["settings"]?.GetValue<string>() != _settings)
        {
            throw new TrainingOptionsException($"{_checkpointFolder} has the checkpoints of a run with other settings or other data. Name another folder, or delete them to begin anew.");
        }

        growing?.Restore(state["rank"]!.GetValue<int>(), state["losses"]!.AsArray().Select(loss => loss!.GetValue<double>()));
        foreach (Parameter parameter in training.Adapter.Parameters)
        {
            checkpoint.Arrays[ParameterPrefix + parameter.Name].CopyTo(parameter.Values, 0);
        }

        training.Optimizer.Restore(Part(checkpoint, OptimizerPrefix));
        training.Adapter.Restore(Part(checkpoint, MethodPrefix));
        training.Step = checkpoint.Step;
        best.Values = Part(checkpoint, BestPrefix);
        best.Loss = state["best_loss"]?.GetValue<double>() ?? double.PositiveInfinity;
        best.Waited = state["waited"]!.GetValue<int>();
        data.Seek(new BatchCursor(state["epoch"]!.GetValue<int>(), state["position"]!.GetValue<int>(), state["batch"]!.GetValue<int>()));
        return state["tokens"]!.GetValue<long>();
    }

    /// <summary>Deletes the checkpoints of a run that is done.</summary>
    public void DeleteCheckpoints()
    {
        if (Directory.Exists(_checkpointFolder))
        {
            Directory.Delete(_checkpointFolder, recursive: true);
        }
    }

    private static string CheckpointsOf(string path) => System.IO.Path.Combine(path, "checkpoints");

    private static void Add(Dictionary<string, float[]> arrays, string prefix, IReadOnlyDictionary<string, float[]> more)
    {
        foreach ((string name, float[] values) in more)
        {
            arrays.Add(prefix + name, values);
        }
    }

    private static Dictionary<string, float[]> Part(Checkpoint checkpoint, string prefix) =>
        checkpoint.Arrays.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value);
}

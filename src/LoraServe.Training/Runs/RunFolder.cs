using System.Text.Json.Nodes;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Compute.Files;
using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.Training.Checkpoints;
using LoraServe.Training.Data;
using LoraServe.Training.Options;
using LoraServe.Training.Reports;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Runs;

/// <summary>What lies in a run's folder: its log, its checkpoints, and in the end the adapter and the report.</summary>
internal sealed class RunFolder
{
    private const string ParameterPrefix = "parameter.";
    private const string OptimizerPrefix = "optimizer.";
    private const string MethodPrefix = "method.";
    private const string BestPrefix = "best.";
    private static readonly string[] s_results = [.. AdapterFileNames.All, "model.safetensors"];
    private readonly CheckpointStore _checkpoints;
    private readonly string _checkpointFolder;
    private readonly JsonObject _settings;
    private IReadOnlyList<string> _files = [];

    /// <summary>Makes the folder where it is missing.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="settings">The run's: a checkpoint of others is refused.</param>
    /// <exception cref="IOException">It cannot be made.</exception>
    public RunFolder(string path, JsonObject settings)
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
        _settings = settings;
    }

    /// <summary>What the same run left in a folder when it was done there; null where it has still to be done.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="options">What is asked for.</param>
    /// <param name="model">The base.</param>
    /// <exception cref="TrainingOptionsException">What is there is another run's, and would be replaced.</exception>
    /// <exception cref="InvalidDataException">Its record is damaged.</exception>
    public static TrainingOutcome? FindDone(string path, TrainingJobOptions options, LoadedModel model)
    {
        if (RunRecord.Read(path) is not { } record)
        {
            return HasResult(path) && !HasWork(path)
                ? throw new TrainingOptionsException($"{path} has an adapter or a model already, and nothing there says how it was made. Name another folder, or replace it with --overwrite.")
                : null;
        }

        if (record.Summary is not { } summary)
        {
            return null;
        }

        using var rows = new RunRows(options, model);
        return RunSettings.Difference(record.Settings, RunSettings.Of(options, rows, model.Transformer.Fingerprint)) is { } difference
            ? throw new TrainingOptionsException($"{path} has a finished run of other settings: {difference}. Name another folder, or replace the run with --overwrite.")
            : new TrainingOutcome(path, summary) { WasDone = true };
    }

    /// <summary>Lets the next run in a folder begin anew, and replace what is there when it is done.</summary>
    public static void Discard(string path)
    {
        if (HasResult(path) || File.Exists(System.IO.Path.Combine(path, RunRecord.FileName)))
        {
            new RunRecord { Settings = [], Files = FilesOf(path), Summary = null }.Write(path);
        }

        DeleteIfThere(CheckpointsOf(path));
        DeleteIfThere(ApartOf(path));
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
    /// <param name="adapter">The adapter.</param>
    /// <param name="text">The chat templates that it was trained through, where they are not the base's.</param>
    public void Save(TrainableAdapter adapter, ModelText? text)
    {
        string apart = ApartOf(Path);
        adapter.Save(apart);
        foreach (string folder in text is null ? [] : Directory.GetDirectories(apart).Append(apart))
        {
            text!.WriteAdapter(folder);
        }

        string[] saved = [.. Directory.EnumerateFileSystemEntries(apart).OrderBy(entry => entry.EndsWith(".json", StringComparison.Ordinal))];
        _files = [.. saved.Select(entry => System.IO.Path.GetFileName(entry))];

        // The configuration comes last: with it a reader finds everything else.
        foreach (string entry in saved)
        {
            string place = System.IO.Path.Combine(Path, System.IO.Path.GetFileName(entry));
            if (Directory.Exists(place))
            {
                Directory.Delete(place, recursive: true);
            }

            AtomicFile.Move(entry, place);
        }
    }

    /// <summary>Notes that the run is done, and deletes what it went through for it, and what a run left there that it replaces.</summary>
    /// <param name="summary">What it cost and brought.</param>
    /// <param name="more">Names of files that belong to what was saved.</param>
    public void Finish(RunSummary summary, IReadOnlyList<string> more)
    {
        _files = [.. _files, .. more];
        string[] replaced = [.. FilesOf(Path).Except(_files)];
        new RunRecord { Settings = _settings, Files = _files, Summary = summary }.Write(Path);
        foreach (string file in replaced)
        {
            string old = System.IO.Path.Combine(Path, file);
            DeleteIfThere(old);
            File.Delete(old);
        }

        DeleteIfThere(ApartOf(Path));
        DeleteIfThere(_checkpointFolder);
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
            ["settings"] = _settings.DeepClone(),
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
        if (RunSettings.Difference(state["settings"] as JsonObject ?? [], _settings) is { } difference)
        {
            throw new TrainingOptionsException($"{Path} has an unfinished run of other settings: {difference}. Name another folder, or replace the run with --overwrite.");
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

    private static string CheckpointsOf(string path) => System.IO.Path.Combine(path, "checkpoints");

    /// <summary>Where what was trained is saved before it gets its place; there from then until the run is done.</summary>
    private static string ApartOf(string path) => System.IO.Path.Combine(path, "saved");

    /// <summary>Whether a run has been at work in a folder without being done.</summary>
    private static bool HasWork(string path) => CheckpointedStep(path) > 0 || Directory.Exists(ApartOf(path));

    private static bool HasResult(string path) =>
        Directory.Exists(path) && Directory.EnumerateDirectories(path).Append(path).SelectMany(folder => s_results, System.IO.Path.Combine).Any(File.Exists);

    private static IReadOnlyList<string> FilesOf(string path) => RunRecord.Read(path)?.Files ?? [];

    private static void DeleteIfThere(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

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

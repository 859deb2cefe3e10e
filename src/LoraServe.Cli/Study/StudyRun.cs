using System.Globalization;

namespace LoraServe.Cli.Study;

/// <summary>One method on one task, in a folder of its own.</summary>
internal sealed class StudyRun
{
    private const string ResultFileName = "result.json";

    public StudyRun(StudyOptions options, StudyTask task, StudyMethod method)
    {
        Task = task;
        Method = method;
        Folder = Path.GetFullPath(Path.Combine(options.Folder, task.Name, method.Label.Replace(' ', '-')));
        string[] choices =
        [
            "--threads", Text(options.Threads), "--method", method.Name,
            .. method.Size is { } size ? new[] { method.HasVirtualTokens ? "--virtual-tokens" : "--rank", Text(size) } : [],
            .. options.Steps is { } steps ? new[] { "--steps", Text(steps) } : [],
            "--batch-rows", Text(options.BatchRows), "--seed", Text(options.Seed),
        ];
        Settings = $"{string.Join(' ', choices)} {options.ModelFingerprint} {task.Fingerprint}";
        Command = ["train", "--model", options.ModelPath, "--data", task.TrainingFile, "--eval", task.EvaluationFile, .. choices, "--out", Folder, "--json"];
    }

    public StudyTask Task { get; }

    public StudyMethod Method { get; }

    public string Folder { get; }

    /// <summary>Its name for people.</summary>
    public string Name => $"{Task.Name}, {Method.Label}";

    /// <summary>What decides its result, to tell whether a result that is there is this run's. Files are known by what is in them, wherever they lie.</summary>
    public string Settings { get; }

    /// <summary>The command that trains it.</summary>
    public IReadOnlyList<string> Command { get; }

    private string ResultFile => Path.Combine(Folder, ResultFileName);

    /// <summary>The result that is there; null where there is none.</summary>
    /// <exception cref="UsageException">It is damaged, or of other settings.</exception>
    public StudyResult? ReadResult()
    {
        if (!File.Exists(ResultFile))
        {
            return null;
        }

        StudyResult result = StudyResult.Read(ResultFile);
        return result.Settings == Settings
            ? result
            : throw new UsageException($"{ResultFile} is of a run with other settings or rows ({result.Settings}). Name another folder with --out, or delete that one.");
    }

    /// <summary>Keeps a result.</summary>
    public void Keep(StudyResult result) => result.Write(ResultFile);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}

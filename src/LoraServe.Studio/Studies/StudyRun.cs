using System.Globalization;

namespace LoraServe.Studio.Studies;

/// <summary>One method on one task, in a folder of its own.</summary>
public sealed class StudyRun
{
    private const string ResultFileName = "result.json";

    /// <summary>A run of a study.</summary>
    /// <param name="options">What all its runs have in common.</param>
    /// <param name="task">What is learnt.</param>
    /// <param name="method">By what.</param>
    public StudyRun(StudyOptions options, StudyTask task, StudyMethod method)
    {
        Task = task;
        Method = method;
        Folder = Path.GetFullPath(Path.Combine(options.Folder, task.Name, method.Label.Replace(' ', '-')));
        Choices =
        [
            "--threads", Text(options.Threads), "--method", method.Name,
            .. method.Size is { } size ? new[] { method.HasVirtualTokens ? "--virtual-tokens" : "--rank", Text(size) } : [],
            .. options.Steps is { } steps ? new[] { "--steps", Text(steps) } : [],
            "--batch-rows", Text(options.BatchRows), "--seed", Text(options.Seed),
        ];
        Settings = $"{string.Join(' ', Choices)} {options.ModelFingerprint} {task.Fingerprint}";
    }

    /// <summary>What is learnt.</summary>
    public StudyTask Task { get; }

    /// <summary>By what.</summary>
    public StudyMethod Method { get; }

    /// <summary>Where its files go, a full path.</summary>
    public string Folder { get; }

    /// <summary>Its name for people.</summary>
    public string Name => $"{Task.Name}, {Method.Label}";

    /// <summary>What decides its result, to tell whether a result that is there is this run's. Files are known by what is in them, wherever they lie.</summary>
    public string Settings { get; }

    /// <summary>How it is trained, in the options of <c>loraserve train</c>; model, rows and folder are not among them.</summary>
    public IReadOnlyList<string> Choices { get; }

    private string ResultFile => Path.Combine(Folder, ResultFileName);

    /// <summary>The result that is there; null where there is none.</summary>
    /// <exception cref="StudioException">It is damaged, or of other settings.</exception>
    public StudyResult? ReadResult()
    {
        if (!File.Exists(ResultFile))
        {
            return null;
        }

        StudyResult result = StudyResult.Read(ResultFile);
        return result.Settings == Settings
            ? result
            : throw new StudioException($"{ResultFile} is of a run with other settings or rows ({result.Settings}). Name another folder with --out, or delete that one.", isMisuse: true);
    }

    /// <summary>Keeps a result.</summary>
    public void Keep(StudyResult result) => result.Write(ResultFile);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}

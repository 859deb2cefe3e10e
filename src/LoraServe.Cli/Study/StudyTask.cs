using LoraServe.Training.Data;

namespace LoraServe.Cli.Study;

/// <summary>What methods are compared on: rows to train on and others to evaluate on.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="TrainingFile">JSONL file, as a full path.</param>
/// <param name="EvaluationFile">JSONL file, as a full path.</param>
/// <param name="Fingerprint">What tells the rows from others.</param>
internal sealed record StudyTask(string Name, string TrainingFile, string EvaluationFile, string Fingerprint)
{
    private const string Ending = ".jsonl";
    private const string TrainingEnding = ".train";
    private const string EvaluationEnding = ".eval.jsonl";

    /// <summary>Reads tasks, each <c>FILE.jsonl</c> with its evaluation rows beside it or <c>TRAIN:EVAL</c>, and checks all their rows.</summary>
    /// <exception cref="UsageException">Two have the same name.</exception>
    /// <exception cref="CommandException">A file is not there.</exception>
    /// <exception cref="TrainingDataException">A file cannot be read, or a line is no row.</exception>
    public static StudyTask[] ParseAll(IEnumerable<string> texts)
    {
        StudyTask[] all = [.. texts.Select(Parse)];
        string? twice = all.GroupBy(task => task.Name).FirstOrDefault(same => same.Count() > 1)?.Key;
        return twice is null ? all : throw new UsageException($"--data has two tasks that are called {twice}; rename a file.");
    }

    private static StudyTask Parse(string text)
    {
        (string training, string evaluation) = Files(text);
        string stem = Stem(Path.GetFileName(training));
        return new StudyTask(stem, Path.GetFullPath(training), Path.GetFullPath(evaluation), $"{Check(training)} {Check(evaluation)}");
    }

    private static (string Training, string Evaluation) Files(string text)
    {
        if (!File.Exists(text))
        {
            // A path may have colons of its own, so that the files decide which one stands between two.
            IEnumerable<int> colons = Enumerable.Range(1, Math.Max(text.Length - 2, 0)).Where(at => text[at] == ':' && File.Exists(text[..at]));
            return colons.Any()
                ? (text[..colons.First()], text[(colons.First() + 1)..])
                : throw new CommandException($"--data is {text}: no such file; expected FILE.jsonl, or TRAIN.jsonl:EVAL.jsonl.");
        }

        string evaluation = Path.Combine(Path.GetDirectoryName(text) ?? "", Stem(Path.GetFileName(text)) + EvaluationEnding);
        return File.Exists(evaluation)
            ? (text, evaluation)
            : throw new CommandException($"--data is {text}, and {evaluation} is not there; put the rows to evaluate on there, or name them: {text}:EVAL.jsonl.");
    }

    private static string Stem(string file)
    {
        string stem = file.EndsWith(Ending, StringComparison.Ordinal) ? file[..^Ending.Length] : file;
        return stem.EndsWith(TrainingEnding, StringComparison.Ordinal) ? stem[..^TrainingEnding.Length] : stem;
    }

    /// <summary>Reads every row, so that a broken one stops the study before anything is trained.</summary>
    private static string Check(string path)
    {
        using DataFile file = DataFile.Open(path);
        for (int row = 0; row < file.Count; row++)
        {
            file.Read(row);
        }

        return file.Fingerprint;
    }
}

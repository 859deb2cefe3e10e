using LoraServe.Training.Data;

namespace LoraServe.Studio.Studies;

/// <summary>What methods are compared on: rows to train on and others to evaluate on.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="TrainingFile">JSONL file, as a full path.</param>
/// <param name="EvaluationFile">JSONL file, as a full path.</param>
/// <param name="Fingerprint">What tells the rows from others.</param>
public sealed record StudyTask(string Name, string TrainingFile, string EvaluationFile, string Fingerprint)
{
    /// <summary>What the name of a file of rows ends with.</summary>
    public const string Ending = ".jsonl";

    /// <summary>What the name of a file of rows to evaluate on ends with.</summary>
    public const string EvaluationEnding = ".eval.jsonl";

    private const string TrainingEnding = ".train";

    /// <summary>A task of two files, all of whose rows are read and checked.</summary>
    /// <param name="training">JSONL file with the rows to train on; the task is called as it is.</param>
    /// <param name="evaluation">JSONL file with the rows to evaluate on.</param>
    /// <exception cref="TrainingDataException">A file cannot be read, or a line is no row.</exception>
    public static StudyTask Of(string training, string evaluation) =>
        new(NameOf(training), Path.GetFullPath(training), Path.GetFullPath(evaluation), $"{Check(training)} {Check(evaluation)}");

    /// <summary>What a task with these rows to train on is called.</summary>
    public static string NameOf(string training)
    {
        string file = Path.GetFileName(training);
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

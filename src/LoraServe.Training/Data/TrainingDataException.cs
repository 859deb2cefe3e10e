namespace LoraServe.Training.Data;

/// <summary>A data set is damaged or has not what a training or evaluation needs.</summary>
public sealed class TrainingDataException : Exception
{
    /// <summary>Says what is wrong with a whole file.</summary>
    public TrainingDataException(string file, string problem)
        : base($"{file}: {problem}")
    {
        File = file;
    }

    /// <summary>Says what is wrong with a line.</summary>
    /// <param name="file">The file, as the caller named it.</param>
    /// <param name="line">Counted from 1.</param>
    /// <param name="problem">Which field is wrong, what was found and what was expected.</param>
    /// <param name="innerException">What reading it threw.</param>
    public TrainingDataException(string file, int line, string problem, Exception? innerException = null)
        : base($"{file}, line {line}: {problem}", innerException)
    {
        File = file;
        Line = line;
    }

    /// <summary>The file, as the caller named it.</summary>
    public string File { get; }

    /// <summary>The line, from 1; null where the whole file is meant.</summary>
    public int? Line { get; }
}

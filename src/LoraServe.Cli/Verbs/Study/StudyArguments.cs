using System.Globalization;
using LoraServe.Cli.Mistakes;
using LoraServe.Studio.Studies;
using LoraServe.Training.Data;

namespace LoraServe.Cli.Verbs.Study;

/// <summary>Methods and tasks as they are written on the command line.</summary>
internal static class StudyArguments
{
    /// <summary>Reads methods with commas between, each <c>NAME</c> or <c>NAME:SIZE</c>.</summary>
    /// <exception cref="UsageException">One has not that form, or comes twice.</exception>
    /// <exception cref="LoraServe.Training.Options.TrainingOptionsException">There is no such method.</exception>
    public static StudyMethod[] Methods(string text)
    {
        StudyMethod[] all = [.. text.Split(',', StringSplitOptions.TrimEntries).Select(Method)];
        StudyMethod? twice = all.GroupBy(method => method).FirstOrDefault(same => same.Count() > 1)?.Key;
        return twice is null ? all : throw new UsageException($"--methods has {twice.Label} more than once; name each method and size once.");
    }

    /// <summary>Reads tasks, each <c>FILE.jsonl</c> with its evaluation rows beside it or <c>TRAIN:EVAL</c>, and checks all their rows.</summary>
    /// <exception cref="UsageException">Two have the same name.</exception>
    /// <exception cref="CommandException">A file is not there.</exception>
    /// <exception cref="TrainingDataException">A file cannot be read, or a line is no row.</exception>
    public static StudyTask[] Tasks(IEnumerable<string> texts)
    {
        StudyTask[] all = [.. texts.Select(Task)];
        string? twice = all.GroupBy(task => task.Name).FirstOrDefault(same => same.Count() > 1)?.Key;
        return twice is null ? all : throw new UsageException($"--data has two tasks that are called {twice}; rename a file.");
    }

    private static StudyMethod Method(string text)
    {
        int colon = text.LastIndexOf(':');
        var method = StudyMethod.Of(colon < 0 ? text : text[..colon]);
        if (colon < 0)
        {
            return method;
        }

        if (!int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int size) || size < 1)
        {
            throw new UsageException($"--methods has {text}; expected NAME or NAME:SIZE, such as lora:16.");
        }

        return method.HasSize
            ? method with { Size = size }
            : throw new UsageException($"--methods has {text}, and {method.Name} has neither rank, width nor virtual tokens; name it without a number.");
    }

    private static StudyTask Task(string text)
    {
        (string training, string evaluation) = Files(text);
        return StudyTask.Of(training, evaluation);
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

        string evaluation = Path.Combine(Path.GetDirectoryName(text) ?? "", StudyTask.NameOf(text) + StudyTask.EvaluationEnding);
        return File.Exists(evaluation)
            ? (text, evaluation)
            : throw new CommandException($"--data is {text}, and {evaluation} is not there; put the rows to evaluate on there, or name them: {text}:EVAL.jsonl.");
    }
}

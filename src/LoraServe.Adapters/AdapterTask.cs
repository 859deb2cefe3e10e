namespace LoraServe.Adapters;

/// <summary>Which task of an adapter of several is meant: the <c>2</c> of <c>name#2</c>, counted from 0 as PEFT counts task_ids.</summary>
public static class AdapterTask
{
    /// <summary>What stands between a name and a task.</summary>
    public const char Mark = '#';

    /// <summary>Splits <c>name#2</c>; null where no task is named.</summary>
    /// <returns>False where what follows the mark is no number.</returns>
    public static bool TrySplit(string text, out string name, out int? task)
    {
        ArgumentNullException.ThrowIfNull(text);
        int mark = text.LastIndexOf(Mark);
        (name, task) = (mark < 0 ? text : text[..mark], null);
        if (mark >= 0 && int.TryParse(text.AsSpan(mark + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int number))
        {
            task = number;
        }

        return mark < 0 || task is not null;
    }

    /// <summary>Why a task cannot be had; null where it can.</summary>
    /// <param name="name">What the adapter is called.</param>
    /// <param name="tasks">How many tasks it has.</param>
    /// <param name="asked">The task that is asked for; null where none is named.</param>
    public static string? Refusal(string name, int tasks, int? asked) =>
        asked is null && tasks > 1 ? $"Adapter '{name}' is for {tasks} tasks. Name one of them: {name}{Mark}0 to {name}{Mark}{tasks - 1}."
        : asked >= tasks ? $"Adapter '{name}' has no task {asked}: it is for {(tasks == 1 ? "one task; leave the number away" : $"{tasks} tasks, {name}{Mark}0 to {name}{Mark}{tasks - 1}")}."
        : null;
}

using System.Globalization;
using LoraServe.Adapters;

namespace LoraServe.Serving.Requests;

/// <summary>An adapter as a request names it.</summary>
/// <param name="Name">A name (its latest version), a name and version (<c>support@3</c>), or an alias.</param>
/// <param name="Weight">Factor of everything that the adapter adds; 1 as trained.</param>
/// <param name="Task">Which of its tasks, where it was trained for several; null where none is named.</param>
public readonly record struct AdapterReference(string Name, float Weight = 1, int? Task = null)
{
    private const NumberStyles Weights = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>Reads a name that may have a task, such as <c>support@3#2</c>.</summary>
    /// <exception cref="EngineException">The task is not a number.</exception>
    public static AdapterReference Named(string name, float weight = 1)
    {
        ArgumentNullException.ThrowIfNull(name);
        return AdapterTask.TrySplit(name, out string bare, out int? task)
            ? new AdapterReference(bare, weight, task)
            : throw new EngineException(EngineError.InvalidAdapterName, $"The task in '{name}' is not a number. Write name#2 for the task with number 2, counted from 0.");
    }

    /// <summary>Reads a stack such as <c>style:0.5+support@3#2</c>; empty text is the base model alone.</summary>
    /// <exception cref="EngineException">A weight is not a number, or a name is missing.</exception>
    public static IReadOnlyList<AdapterReference> ParseStack(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length == 0 ? [] : [.. text.Split('+').Select(Parse)];
    }

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}{(Task is { } task ? $"#{task}" : "")}{(Weight == 1 ? "" : $":{Weight}")}");

    private static AdapterReference Parse(string part)
    {
        int colon = part.LastIndexOf(':');
        string name = (colon < 0 ? part : part[..colon]).Trim(' ');
        float weight = 1;
        if (colon >= 0 && !float.TryParse(part.AsSpan(colon + 1).Trim(' '), Weights, CultureInfo.InvariantCulture, out weight))
        {
            throw new EngineException(EngineError.InvalidRequest, $"The weight in '{part}' is not a number. Write a stack as name:weight+name:weight.");
        }

        return name.Length > 0
            ? Named(name, weight)
            : throw new EngineException(EngineError.InvalidAdapterName, $"A name is missing in '{part}'. Write a stack as name:weight+name:weight.");
    }
}

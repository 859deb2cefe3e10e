using LoraServe.Adapters;
using LoraServe.Adapters.Edits;

namespace LoraServe.Testing.Plain;

/// <summary>An adapter of a stack as <see cref="PlainForward"/> reads it: its edits, in no device's form.</summary>
/// <param name="Edits">What it changes.</param>
/// <param name="Weight">Factor of everything that it adds.</param>
/// <param name="ActiveFrom">First position that it acts on, virtual rows counted.</param>
public sealed record PlainAdapter(IReadOnlyList<AdapterEdit> Edits, double Weight = 1, int ActiveFrom = 0)
{
    /// <summary>A loaded adapter.</summary>
    public PlainAdapter(Adapter adapter, double weight = 1)
        : this(adapter.Edits, weight) => InvocationTokens = [.. adapter.InvocationTokens];

    /// <summary>What an adapter of several tasks is for one of them.</summary>
    public PlainAdapter ForTask(int task) => this with { Edits = [.. Edits.Select(edit => edit is VirtualTokens tokens ? OfTask(tokens, task) : edit)] };

    /// <summary>Tokens of the prompt from whose last occurrence on it acts; none: <see cref="ActiveFrom"/> counts.</summary>
    public int[] InvocationTokens { get; init; } = [];

    /// <summary>Rows ahead of the prompt.</summary>
    public int VirtualRows =>
        Edits.OfType<VirtualTokens>().SingleOrDefault()?.Rows.Rows ?? Edits.OfType<PrefixKeyValue>().FirstOrDefault()?.Keys.Rows ?? 0;

    private static VirtualTokens OfTask(VirtualTokens all, int task)
    {
        int size = all.Count * all.Rows.Columns;
        return new VirtualTokens(new FloatMatrix(all.Count, all.Rows.Columns, all.Rows.Values[(task * size)..((task + 1) * size)]));
    }

    /// <summary>First position that it acts on in a sequence that begins with a prompt.</summary>
    /// <param name="prompt">The prompt, without virtual rows.</param>
    /// <param name="virtualRows">Rows ahead of the prompt, of all adapters of the stack.</param>
    public int FirstPosition(ReadOnlySpan<int> prompt, int virtualRows)
    {
        if (InvocationTokens.Length == 0)
        {
            return ActiveFrom;
        }

        int place = prompt.LastIndexOf(InvocationTokens);
        return place < 0 ? int.MaxValue : virtualRows + place;
    }
}

namespace LoraServe.Models.Forward;

/// <summary>One adapter of a segment's stack.</summary>
/// <param name="Adapter">The adapter; must stay resident until the step is done.</param>
/// <param name="Weight">Factor of everything that it adds; 1 as trained.</param>
/// <param name="ActiveFrom">First position that it acts on, virtual rows counted; 0 for all.</param>
/// <param name="Task">Which of the adapter's tasks it is for; 0 where it has one.</param>
public readonly record struct AdapterUse(ResidentAdapter Adapter, float Weight = 1, int ActiveFrom = 0, int Task = 0)
{
    /// <summary>An adapter's use in a sequence that begins with <paramref name="prompt"/>.</summary>
    /// <remarks>
    /// An adapter with invocation tokens (aLoRA) acts from their last occurrence in the prompt on, and on what is generated after
    /// it; on nothing where the prompt does not have them.
    /// </remarks>
    /// <param name="adapter">The adapter.</param>
    /// <param name="weight">Factor of everything that it adds.</param>
    /// <param name="prompt">The prompt, without virtual rows.</param>
    /// <param name="virtualRows">Rows ahead of the prompt, of all adapters of the stack.</param>
    public static AdapterUse InPrompt(ResidentAdapter adapter, float weight, ReadOnlySpan<int> prompt, int virtualRows = 0)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        return new AdapterUse(adapter, weight, FirstPosition(adapter.InvocationTokens, prompt, virtualRows));
    }

    /// <summary>First position that an adapter acts on; <see cref="int.MaxValue"/> where that is none.</summary>
    /// <param name="invocation">Its invocation tokens; none where it always acts.</param>
    /// <param name="prompt">The prompt, without virtual rows.</param>
    /// <param name="virtualRows">Rows ahead of the prompt, of all adapters of the stack.</param>
    public static int FirstPosition(ReadOnlySpan<int> invocation, ReadOnlySpan<int> prompt, int virtualRows)
    {
        if (invocation.IsEmpty)
        {
            return 0;
        }

        int start = prompt.LastIndexOf(invocation);
        return start >= 0 ? virtualRows + start : int.MaxValue;
    }
}

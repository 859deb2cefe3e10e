namespace LoraServe.Training.Steps;

/// <summary>Cuts examples into parts that fit into memory.</summary>
internal static class ExampleParts
{
    /// <summary>Parts of at most so many tokens, each of at least one example, in order.</summary>
    /// <param name="examples">The examples.</param>
    /// <param name="tokensOf">An example's tokens.</param>
    /// <param name="tokensAtOnce">Most tokens of a part.</param>
    public static IReadOnlyList<IReadOnlyList<T>> Of<T>(IReadOnlyList<T> examples, Func<T, int> tokensOf, int tokensAtOnce)
    {
        var parts = new List<IReadOnlyList<T>>();
        var part = new List<T>();
        int tokens = 0;
        foreach (T example in examples)
        {
            if (part.Count > 0 && tokens + tokensOf(example) > tokensAtOnce)
            {
                parts.Add(part);
                part = [];
                tokens = 0;
            }

            part.Add(example);
            tokens += tokensOf(example);
        }

        if (part.Count > 0)
        {
            parts.Add(part);
        }

        return parts;
    }
}

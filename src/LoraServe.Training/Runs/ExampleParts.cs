using LoraServe.Training.Data;

namespace LoraServe.Training.Runs;

/// <summary>Cuts examples into parts that fit into memory.</summary>
internal static class ExampleParts
{
    /// <summary>Parts of at most so many tokens, each of at least one example, in order.</summary>
    public static IReadOnlyList<IReadOnlyList<TrainingExample>> Of(IReadOnlyList<TrainingExample> examples, int tokensAtOnce)
    {
        var parts = new List<IReadOnlyList<TrainingExample>>();
        var part = new List<TrainingExample>();
        int tokens = 0;
        foreach (TrainingExample example in examples)
        {
            if (part.Count > 0 && tokens + example.Tokens.Length > tokensAtOnce)
            {
                parts.Add(part);
                part = [];
                tokens = 0;
            }

            part.Add(example);
            tokens += example.Tokens.Length;
        }

        if (part.Count > 0)
        {
            parts.Add(part);
        }

        return parts;
    }
}

using LoraServe.Models.Forward;

namespace LoraServe.Models.Backward;

/// <summary>Which tokens of an example carry loss: the row before each predicts it.</summary>
public static class LabelledTokens
{
    /// <summary>The first token that has a row before it: virtual tokens stand before token 0, a prefix has no rows that predict.</summary>
    public static int First(ResidentAdapter? adapter) => adapter is { HasVirtualEmbeddings: true } ? 0 : 1;

    /// <summary>Number of tokens that carry loss.</summary>
    public static int Count(IEnumerable<TrainingExample> examples, ResidentAdapter? adapter) =>
        examples.Sum(example => example.Labels.Skip(First(adapter)).Count(label => label != TrainingExample.NoLabel));
}

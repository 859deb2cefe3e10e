namespace LoraServe.Models.Backward;

/// <summary>A tokenised example.</summary>
/// <param name="Tokens">The whole sequence.</param>
/// <param name="Labels">For each token itself where it carries loss, else <see cref="NoLabel"/>. Not shifted: what the model says after token t is compared with label t + 1.</param>
public sealed record TrainingExample(int[] Tokens, int[] Labels)
{
    /// <summary>The label of a token without loss.</summary>
    public const int NoLabel = -100;
}

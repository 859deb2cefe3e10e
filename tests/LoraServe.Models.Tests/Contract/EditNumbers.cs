using LoraServe.Adapters.Edits;

namespace LoraServe.Models.Tests.Contract;

/// <summary>The numbers of an edit that are trained, each with a direction of 1 or −1 to move it in.</summary>
internal sealed class EditNumbers
{
    private readonly (float[] Values, float[] Directions)[] _arrays;

    private EditNumbers(float[][] arrays, Random random) =>
        _arrays = Array.ConvertAll(arrays, values => (values, Array.ConvertAll(values, _ => random.Next(2) == 0 ? 1f : -1f)));

    /// <summary>Whether nothing of the edit is trained.</summary>
    public bool IsEmpty => _arrays.Length == 0;

    /// <summary>The directions, array after array.</summary>
    public IReadOnlyList<float[]> Directions => Array.ConvertAll(_arrays, array => array.Directions);

    public static EditNumbers Of(AdapterEdit edit, Random random) => new(
        edit switch
        {
            LowRank pair => [pair.A.Values, pair.B.Values],
            SharedLowRank pair => [pair.RankScale, pair.ProductScale],
            DenseDelta dense => [dense.Values.Values],
            BiasDelta bias => [bias.Values],
            InputScale scale => [scale.Values],
            OutputScale { Site.Role: SiteRole.Embedding } => [],
            OutputScale scale => [scale.Values],
            InputRotation rotation => [.. rotation.Factors.Select(factor => factor.Changes.Values)],
            OutputRotation rotation => [rotation.Factor.Changes.Values],
            RowsDelta rows => [rows.Values.Values],
            WeightReplacement whole => whole.Bias is null ? [whole.Weight.Values] : [whole.Weight.Values, whole.Bias],
            NormDelta norm => [norm.Values],
            NormReplacement norm => [norm.Values],
            Bottleneck { Norm: null } added => [added.Down.Values, added.DownBias, added.Up.Values, added.UpBias, added.Scale],
            Bottleneck => [],
            VirtualTokens tokens => [tokens.Rows.Values],
            PrefixKeyValue prefix => [prefix.Keys.Values, prefix.Values.Values],
            PromptAttention prompt => [prompt.Keys.Values, prompt.Values.Values],
            _ => throw new NotSupportedException(edit.GetType().Name),
        },
        random);

    /// <summary>Moves all of them by a step, in place.</summary>
    public void Move(float step)
    {
        foreach ((float[] values, float[] directions) in _arrays)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] += step * directions[i];
            }
        }
    }
}

namespace LoraServe.Training.Ranks.Policies;

/// <summary>Attention, MLP and other maps each have their own rank.</summary>
/// <remarks>
/// Where a rank is left out, attention takes that of <see cref="WidthPolicy"/>, the MLP half of it and others a quarter: an MLP's
/// map is about twice as long on its sides, so that every map costs about as many parameters. That one rank for all is not the
/// best use of a budget is what Zhang et al., AdaLoRA (arXiv 2303.10512), measure.
/// </remarks>
/// <param name="attention">Rank of query, key, value and output projections.</param>
/// <param name="mlp">Rank of gate, up and down projections.</param>
/// <param name="other">Rank of the head and the token table.</param>
public sealed class LayerKindPolicy(int? attention = null, int? mlp = null, int? other = null) : IRankPolicy
{
    /// <inheritdoc />
    public string Name => "layers";

    /// <inheritdoc />
    public RankPlan Choose(RankQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        int byWidth = WidthPolicy.RankFor(question.Model.Width);
        Dictionary<LayerKind, int> ranks = new()
        {
            [LayerKind.Attention] = attention ?? byWidth,
            [LayerKind.Mlp] = mlp ?? byWidth / 2,
            [LayerKind.Other] = other ?? byWidth / 4,
        };
        string reason = string.Join(", ", ranks.Select(rank => $"{rank.Key.Text()} {rank.Value}"));
        return RankPlan.PerSite(
            Name,
            question,
            target => ranks[target.Site.Role.Kind()],
            attention is null && mlp is null && other is null ? $"{reason}: a width of {question.Model.Width} takes {byWidth}, maps with longer sides less" : reason);
    }
}

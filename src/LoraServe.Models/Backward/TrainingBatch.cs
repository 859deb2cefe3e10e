using LoraServe.Models.Forward;

namespace LoraServe.Models.Backward;

/// <summary>The shares of a training pass laid out as one batch: an example is a segment, its labelled rows are those whose logits are wanted.</summary>
public sealed class TrainingBatch
{
    private readonly List<int> _tokens = [];
    private readonly List<int> _outputs = [];
    // For each share the tokens that its labelled rows are to predict, example after example, as in the batch's logits.
    private int[][] _targets = [];

    /// <summary>The batch.</summary>
    public TokenBatch Tokens { get; } = new();

    /// <summary>Pages that its segments take, numbered from 0.</summary>
    public int PageCount { get; private set; }

    /// <summary>Becomes the batch of some shares, whose <see cref="BatchShare.LabelledTokens"/> are counted.</summary>
    public void Build(IReadOnlyList<BatchShare> shares)
    {
        ArgumentNullException.ThrowIfNull(shares);
        Tokens.Clear();
        PageCount = 0;
        _targets = [.. shares.Select(Add)];
    }

    /// <summary>Has the head applied to each share's labelled rows: at once where the losses' factors are known, else once more to learn the losses first.</summary>
    /// <param name="shares">Those that it was built of.</param>
    /// <param name="head">Applies it.</param>
    public void Score(IReadOnlyList<BatchShare> shares, HeadPass head)
    {
        ArgumentNullException.ThrowIfNull(shares);
        ArgumentNullException.ThrowIfNull(head);
        int first = 0;
        for (int i = 0; i < shares.Count; i++)
        {
            BatchShare share = shares[i];
            int[] targets = _targets[i];
            share.Losses = new float[targets.Length];
            share.Hits = new bool[share.WantsHits ? targets.Length : 0];
            float[]? coefficients = Coefficients(share, first, targets, head);
            if (coefficients is not null || share.Coefficients is null)
            {
                head(share, first, targets, coefficients, share.Hits);
            }

            first += targets.Length;
        }
    }

    private static float[]? Coefficients(BatchShare share, int first, int[] targets, HeadPass head)
    {
        if (share.UniformCoefficient is { } uniform)
        {
            float[] same = new float[targets.Length];
            Array.Fill(same, uniform);
            return same;
        }

        if (share.Coefficients is not { } rule)
        {
            return null;
        }

        head(share, first, targets, null, []);
        float[] coefficients = new float[targets.Length];
        rule(share, coefficients);
        return coefficients;
    }

    private int[] Add(BatchShare share)
    {
        var targets = new List<int>();
        AdapterUse[] uses = share.Adapter is { } adapter ? [new AdapterUse(adapter), .. share.Beside.Select(beside => new AdapterUse(beside))] : [];
        if (uses.Any(use => use.Adapter.Classifier is not null))
        {
            throw new ArgumentException("An adapter with a classifier (X-LoRA) takes part; its pairs are scaled by a pass of its own, which training has not. Serve it, or leave it out.", nameof(share));
        }

        ResidentAdapter? ahead = uses.Select(use => use.Adapter).FirstOrDefault(use => use.VirtualRows > 0);
        int virtualRows = ahead?.VirtualRows ?? 0;
        share.LabelledTokens = new int[share.Examples.Count];
        for (int row = 0; row < share.Examples.Count; row++)
        {
            _tokens.Clear();
            _tokens.AddRange(VirtualRow.Tokens(virtualRows));
            _tokens.AddRange(share.Examples[row].Tokens);
            _outputs.Clear();
            int[] labels = share.Examples[row].Labels;
            for (int t = LabelledTokens.First(ahead); t < labels.Length; t++)
            {
                if (labels[t] != TrainingExample.NoLabel)
                {
                    _outputs.Add(virtualRows + t - 1);
                    targets.Add(labels[t]);
                }
            }

            share.LabelledTokens[row] = _outputs.Count;
            int pages = KvPage.Count(_tokens.Count);
            Tokens.Add(new SegmentRequest
            {
                Tokens = _tokens.ToArray(),
                Pages = Enumerable.Range(PageCount, pages).ToArray(),
                PromptLength = _tokens.Count,
                Adapters = uses,
                Output = SegmentOutput.SelectedLogits,
                OutputRows = _outputs.ToArray(),
            });
            PageCount += pages;
        }

        return [.. targets];
    }
}

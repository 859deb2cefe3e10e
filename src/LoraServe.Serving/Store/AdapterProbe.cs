using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Serving.Store;

/// <summary>Runs a fixed prompt with and without an adapter, away from the loop, to see whether it does anything.</summary>
internal sealed class AdapterProbe(Transformer model) : IDisposable
{
    private const int FixedTokens = 12;
    private const int EditedTokens = 4;

    private readonly WorkerPool _workers = new(1);
    private readonly TokenBatch _batch = new();

    /// <summary>The largest change of any logit. NaN where the adapter makes something that is not a number.</summary>
    public double Run(Adapter adapter, ResidentAdapter resident)
    {
        // The prompt ends with some of the tokens that the adapter gives rows of its own, since no other prompt shows them.
        int vocabulary = model.Spec.VocabularySize;
        int[] tokens =
        [
            .. Enumerable.Range(1, FixedTokens).Select(i => (int)(i * 7919L % vocabulary)),
            .. adapter.Edits.OfType<RowsDelta>().SelectMany(rows => rows.Tokens).Distinct().Take(EditedTokens),
        ];
        int[] behind = [.. VirtualRow.Tokens(resident.VirtualRows), .. tokens];
        int[] pages = [.. Enumerable.Range(1, KvPage.Count(behind.Length))];
        int[] scoutPages = resident.Classifier is null ? [] : [.. Enumerable.Range(1 + pages.Length, pages.Length)];
        using IStepRunner runner = model.CreateRunner(_workers, 1 + pages.Length + scoutPages.Length, ElementType.F32);
        _batch.Clear();
        _batch.Add(new SegmentRequest { Tokens = tokens, Pages = [0], PromptLength = tokens.Length, Output = SegmentOutput.AllLogits });
        _batch.Add(new SegmentRequest
        {
            Tokens = behind,
            Pages = pages,
            ScoutPages = scoutPages,
            PromptLength = behind.Length,
            Output = SegmentOutput.SelectedLogits,
            OutputRows = [.. Enumerable.Range(resident.VirtualRows, tokens.Length)],
            Adapters = [new AdapterUse(resident)],
        });
        Rows logits = runner.Forward(_batch).Rows;
        double change = 0;
        for (int row = 0; row < tokens.Length; row++)
        {
            Span<float> before = logits.Span(row);
            Span<float> after = logits.Span(tokens.Length + row);
            for (int token = 0; token < vocabulary; token++)
            {
                double difference = Math.Abs(after[token] - before[token]);
                change = double.IsFinite(difference) ? Math.Max(change, difference) : double.NaN;
                if (double.IsNaN(change))
                {
                    return change;
                }
            }
        }

        return change;
    }

    public void Dispose() => _workers.Dispose();
}

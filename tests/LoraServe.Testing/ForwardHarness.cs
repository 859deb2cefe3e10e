using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Testing;

/// <summary>A model with workers, pages and a batch, for tests that run sequences through it.</summary>
public sealed class ForwardHarness : IDisposable
{
    private readonly WorkerPool _pool;
    private readonly IStepRunner _runner;
    private readonly Stack<int> _free;
    private readonly List<(TestSequence Sequence, SegmentOutput Output)> _inStep = [];

    public ForwardHarness(Transformer model, int workers = 1, int pageCount = 64, ElementType cache = ElementType.F32, int? shuffleSeed = null)
    {
        Model = model;
        _pool = new WorkerPool(workers);
        _runner = model.CreateRunner(_pool, pageCount, cache);
        int[] order = [.. Enumerable.Range(0, pageCount)];
        if (shuffleSeed is { } seed)
        {
            new Random(seed).Shuffle(order);
        }

        _free = new Stack<int>(order);
    }

    public Transformer Model { get; }

    public IStepRunner Runner => _runner;

    public TokenBatch Batch { get; } = new();

    public Rows Hidden => _runner.Hidden;

    /// <summary>The logits after every token of a sequence that runs alone, [T][V], without virtual rows.</summary>
    public float[][] Logits(ReadOnlySpan<int> tokens, params ReadOnlySpan<AdapterUse> adapters)
    {
        var sequence = new TestSequence(tokens.ToArray(), adapters.ToArray());
        Batch.Clear();
        Add(sequence, sequence.Tokens.Length, SegmentOutput.AllLogits);
        Step();
        Release(sequence);
        return sequence.TextLogits;
    }

    /// <summary>Greedy continuation of a prompt, one token at a time through the cache.</summary>
    public int[] Greedy(ReadOnlySpan<int> prompt, int count, params ReadOnlySpan<AdapterUse> adapters)
    {
        var sequence = new TestSequence([.. prompt, .. new int[count]], adapters.ToArray());
        sequence.PromptLength -= count;
        int first = sequence.PromptLength;
        int rows = sequence.PromptLength;
        for (int i = 0; i < count; i++)
        {
            // As a server does: a rope that changes once beyond its original context turns all keys anew there.
            if (Model.Spec.Rope.Scaling == RopeScaling.LongRope && sequence.PromptLength <= Model.Spec.Rope.OriginalContext && sequence.Done + rows > Model.Spec.Rope.OriginalContext)
            {
                (rows, sequence.Done) = (sequence.Done + rows, 0);
                sequence.PromptLength = rows;
            }

            Batch.Clear();
            Add(sequence, rows, SegmentOutput.LastLogits);
            Step();
            sequence.Tokens[sequence.Done] = Best(sequence.Logits[sequence.Done - 1]);
            rows = 1;
        }

        Release(sequence);
        return sequence.Tokens[first..];
    }

    /// <summary>Adds the next tokens of a sequence to the batch.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="output">What is wanted of them.</param>
    /// <param name="selected">For <see cref="SegmentOutput.SelectedLogits"/>, offsets within them.</param>
    public void Add(TestSequence sequence, int count, SegmentOutput output, params ReadOnlySpan<int> selected)
    {
        while (sequence.Pages.Count * KvPage.Tokens < sequence.Done + count)
        {
            sequence.Pages.Add(_free.Pop());
            if (sequence.Adapters.Any(use => use.Adapter.Classifier is not null))
            {
                sequence.ScoutPages.Add(_free.Pop());
            }
        }

        sequence.Segment = Batch.Add(new SegmentRequest
        {
            Tokens = sequence.Tokens.AsSpan(sequence.Done, count),
            FirstPosition = sequence.Done,
            Pages = sequence.Pages.ToArray(),
            ScoutPages = sequence.ScoutPages.ToArray(),
            PromptLength = sequence.PromptLength,
            Adapters = sequence.Adapters,
            Output = output,
            OutputRows = selected,
        });
        sequence.OutputRows = output switch
        {
            SegmentOutput.None => [],
            SegmentOutput.LastLogits => [sequence.Done + count - 1],
            SegmentOutput.SelectedLogits => Array.ConvertAll(selected.ToArray(), offset => sequence.Done + offset),
            _ => [.. Enumerable.Range(sequence.Done, count)],
        };
        sequence.Done += count;
        _inStep.Add((sequence, output));
    }

    /// <summary>Runs the batch and hands the logits and hidden states to the sequences.</summary>
    public void Step()
    {
        Rows logits = _runner.Forward(Batch).Rows;
        foreach ((TestSequence sequence, SegmentOutput output) in _inStep)
        {
            int first = Batch.Segments[sequence.Segment].FirstOutput;
            (Rows rows, float[][] results) = output == SegmentOutput.AllHidden ? (_runner.Hidden, sequence.Hidden) : (logits, sequence.Logits);
            for (int i = 0; i < sequence.OutputRows.Length; i++)
            {
                results[sequence.OutputRows[i]] = rows.Span(first + i).ToArray();
            }
        }

        _inStep.Clear();
    }

    public void Release(TestSequence sequence)
    {
        foreach (List<int> pages in (List<int>[])[sequence.Pages, sequence.ScoutPages])
        {
            pages.ForEach(_free.Push);
            pages.Clear();
        }
    }

    public void Dispose()
    {
        _runner.Dispose();
        _pool.Dispose();
    }

    public static int Best(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
        {
            best = logits[i] > logits[best] ? i : best;
        }

        return best;
    }
}

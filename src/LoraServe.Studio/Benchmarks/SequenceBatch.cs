using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Studio.Benchmarks;

/// <summary>Sequences of equal length that are computed together, step by step, with greedy choice and nothing of a server around it.</summary>
internal sealed class SequenceBatch : IDisposable
{
    private readonly IStepRunner _runner;
    private readonly TokenBatch _batch = new();
    private readonly RowAnswers _answers = new();
    private readonly int[][] _pageIds;
    private readonly int[] _prompt;
    private readonly int[] _next;
    private readonly AdapterUse[] _uses;
    private readonly int _stepRows;

    public SequenceBatch(Transformer model, WorkerPool pool, int sequences, int promptTokens, int tokens, int stepRows)
    {
        _stepRows = stepRows;
        int pagesEach = KvPage.Count(promptTokens + tokens);
        _runner = model.CreateRunner(pool, sequences * pagesEach, ElementType.F16);
        _pageIds = [.. Enumerable.Range(0, sequences).Select(sequence => Enumerable.Range(sequence * pagesEach, pagesEach).ToArray())];
        var random = new Random(sequences);
        _prompt = [.. Enumerable.Range(0, promptTokens).Select(_ => random.Next(model.VocabularySize))];
        _next = new int[sequences];
        _uses = new AdapterUse[1];
    }

    /// <summary>Computes the prompts of all sequences, one after another, as many rows at a time as a step takes.</summary>
    /// <inheritdoc cref="Decode" path="/param[@name='adapters']"/>
    public void Prefill(ReadOnlySpan<ResidentAdapter> adapters)
    {
        _batch.Clear();
        int complete = 0;
        for (int sequence = 0; sequence < _pageIds.Length; sequence++)
        {
            for (int start = 0; start < _prompt.Length;)
            {
                int count = Math.Min(_stepRows - _batch.RowCount, _prompt.Length - start);
                bool isLast = start + count == _prompt.Length;
                Add(sequence, _prompt.AsSpan(start, count), start, isLast ? SegmentOutput.LastLogits : SegmentOutput.None, adapters);
                start += count;
                if (_batch.RowCount == _stepRows || (isLast && sequence == _pageIds.Length - 1))
                {
                    complete += Step(complete);
                }
            }
        }
    }

    /// <summary>Generates one token for each sequence.</summary>
    /// <param name="position">Where it goes.</param>
    /// <param name="adapters">Shared out among the sequences, one each; empty for none.</param>
    public void Decode(int position, ReadOnlySpan<ResidentAdapter> adapters)
    {
        _batch.Clear();
        for (int sequence = 0; sequence < _pageIds.Length; sequence++)
        {
            Add(sequence, _next.AsSpan(sequence, 1), position, SegmentOutput.LastLogits, adapters);
        }

        Step(0);
    }

    public void Dispose() => _runner.Dispose();

    private static int Greedy(ReadOnlySpan<float> logits) => System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits);

    /// <summary>Runs what has been added and chooses the next token of each sequence that got logits, which are those from <paramref name="first"/> on.</summary>
    /// <returns>Number of these sequences.</returns>
    private int Step(int first)
    {
        StepLogits logits = _runner.Forward(_batch);
        int count = logits.Count;
        if (count > 0 && logits.OnDevice is { } device)
        {
            device.Answer([.. Enumerable.Range(0, count).Select(row => new RowQuestion(row, Greatest: 1))], _answers);
        }

        for (int i = 0; i < count; i++)
        {
            _next[first + i] = logits.OnDevice is null ? Greedy(logits.Rows.Span(i)) : _answers.Tokens(i)[0];
        }

        _batch.Clear();
        return count;
    }

    private void Add(int sequence, ReadOnlySpan<int> tokens, int position, SegmentOutput output, ReadOnlySpan<ResidentAdapter> adapters)
    {
        ReadOnlySpan<AdapterUse> uses = [];
        if (!adapters.IsEmpty)
        {
            // Sequences of the same adapter stand together, as the scheduler puts them.
            _uses[0] = new AdapterUse(adapters[(int)((long)sequence * adapters.Length / _pageIds.Length)]);
            uses = _uses;
        }

        _batch.Add(new SegmentRequest
        {
            Tokens = tokens,
            FirstPosition = position,
            Pages = _pageIds[sequence].AsSpan(0, KvPage.Count(position + tokens.Length)),
            PromptLength = _prompt.Length,
            Adapters = uses,
            Output = output,
        });
    }
}

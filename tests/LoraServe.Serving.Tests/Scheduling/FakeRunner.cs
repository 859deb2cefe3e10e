using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;

namespace LoraServe.Serving.Tests.Scheduling;

/// <summary>
/// A "model" whose next token is a function of all tokens before it, which it reads back from its pages, so that a wrong,
/// stale or shared page gives a wrong token. A token can stand for a failing step.
/// </summary>
internal sealed unsafe class FakeRunner(int pageCount, int vocabularySize) : IStepRunner
{
    public const int Poison = 13;

    private readonly int[] _stored = new int[pageCount * KvPage.Tokens];
    private readonly HostLogits _given = new();
    private readonly NativeBuffer _logits = new(1024L * vocabularySize * sizeof(float));

    public int PageCount => pageCount;

    public long ByteLength => _stored.Length;

    public Rows Hidden => default;

    /// <summary>Steps run so far.</summary>
    public int Steps { get; private set; }

    public static int Next(IEnumerable<int> tokens, int vocabularySize)
    {
        uint hash = 17;
        foreach (int token in tokens)
        {
            hash = (hash * 31) + (uint)token;
        }

        return (int)((hash ^ (hash >> 13)) % (uint)vocabularySize);
    }

    public void CopyPage(int from, int to) =>
        _stored.AsSpan(from * KvPage.Tokens, KvPage.Tokens).CopyTo(_stored.AsSpan(to * KvPage.Tokens));

    public StepLogits Forward(TokenBatch batch)
    {
        Steps++;
        if (batch.Tokens.Contains(Poison))
        {
            throw new InvalidOperationException("poison");
        }

        var logits = new Rows((nint)_logits.Pointer, 1024, vocabularySize, vocabularySize);
        foreach (Segment segment in batch.Segments)
        {
            ReadOnlySpan<int> pages = batch.Pages[segment.FirstPage..];
            for (int row = 0; row < segment.RowCount; row++)
            {
                int position = segment.FirstPosition + row;
                _stored[(pages[position / KvPage.Tokens] * KvPage.Tokens) + (position % KvPage.Tokens)] = batch.Tokens[segment.FirstRow + row];
                int output = row - (segment.RowCount - segment.OutputCount);
                if (output >= 0)
                {
                    Fill(logits.Span(segment.FirstOutput + output), pages, position);
                }
            }
        }

        return _given.Of(logits);
    }

    public void Dispose() => _logits.Dispose();

    private void Fill(Span<float> logits, ReadOnlySpan<int> pages, int last)
    {
        uint hash = 17;
        for (int position = 0; position <= last; position++)
        {
            hash = (hash * 31) + (uint)_stored[(pages[position / KvPage.Tokens] * KvPage.Tokens) + (position % KvPage.Tokens)];
        }

        logits.Clear();
        logits[(int)((hash ^ (hash >> 13)) % (uint)vocabularySize)] = 5;
    }
}

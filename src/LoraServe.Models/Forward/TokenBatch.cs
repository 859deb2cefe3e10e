using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LoraServe.Models.Forward;

/// <summary>What one step computes: a ragged run of tokens made of segments. Plain data, reused from step to step.</summary>
/// <remarks>Adjacent segments with the same adapters share runs, so callers do well to sort segments by adapter.</remarks>
public sealed class TokenBatch
{
    private readonly List<int> _tokens = [];
    private readonly List<int> _positions = [];
    private readonly List<int> _ropeLengths = [];
    private readonly List<int> _pages = [];
    private readonly List<Segment> _segments = [];
    private readonly List<VirtualRow> _virtualRows = [];

    /// <summary>A batch without rows.</summary>
    public TokenBatch()
    {
        All = new RowGroup(Scalings);
        Logits = new RowGroup(Scalings);
        Hidden = new RowGroup(Scalings);
    }

    /// <summary>Number of rows.</summary>
    public int RowCount => _tokens.Count;

    /// <summary>The rows' tokens; negative in <see cref="VirtualRows"/>.</summary>
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    /// <summary>The rows' positions in their sequences.</summary>
    public ReadOnlySpan<int> Positions => CollectionsMarshal.AsSpan(_positions);

    /// <summary>For each row, the length that a rope depends on.</summary>
    public ReadOnlySpan<int> RopeLengths => CollectionsMarshal.AsSpan(_ropeLengths);

    /// <summary>The segments, in the order in which they were added.</summary>
    public ReadOnlySpan<Segment> Segments => CollectionsMarshal.AsSpan(_segments);

    /// <summary>The page lists of all segments, one after another.</summary>
    public ReadOnlySpan<int> Pages => CollectionsMarshal.AsSpan(_pages);

    /// <summary>The rows that adapters put ahead of prompts, in order.</summary>
    public ReadOnlySpan<VirtualRow> VirtualRows => CollectionsMarshal.AsSpan(_virtualRows);

    /// <summary>All rows.</summary>
    public RowGroup All { get; }

    /// <summary>The rows whose logits are wanted.</summary>
    public RowGroup Logits { get; }

    /// <summary>The rows whose last hidden states are wanted.</summary>
    public RowGroup Hidden { get; }

    /// <summary>What the pairs of each row are scaled by: known after the first pass, which runs <see cref="Scouts"/>.</summary>
    public RowScalings Scalings { get; } = new();

    /// <summary>
    /// The segments whose adapters have a classifier once more, without that adapter or with all its pairs alike, into pages of their own: to
    /// be run first, since their hidden states say how the pairs are scaled. Null: there never were any.
    /// </summary>
    public TokenBatch? Scouts { get; private set; }

    /// <summary>Which rows <see cref="Scouts"/> has, in its order.</summary>
    internal List<Scouted> ScoutedSegments { get; } = [];

    /// <summary>Removes all segments.</summary>
    public void Clear()
    {
        _tokens.Clear();
        _positions.Clear();
        _ropeLengths.Clear();
        _pages.Clear();
        _segments.Clear();
        _virtualRows.Clear();
        All.Clear();
        Logits.Clear();
        Hidden.Clear();
        Scalings.Clear();
        ScoutedSegments.Clear();
        Scouts?.Clear();
    }

    /// <summary>Adds a segment after the others and returns its index. The spans are copied.</summary>
    public int Add(in SegmentRequest request) => Add(request, isScout: false);

    private int Add(in SegmentRequest request, bool isScout)
    {
        int count = request.Tokens.Length;
        int end = request.FirstPosition + count;
        Debug.Assert(count > 0, "A segment has at least one token.");
        Debug.Assert(request.Pages.Length * KvPage.Tokens >= end, "The pages hold every position up to the segment's last.");

        int firstRow = RowCount;
        int firstPage = _pages.Count;
        _tokens.AddRange(request.Tokens);
        _pages.AddRange(request.Pages);
        for (int position = request.FirstPosition; position < end; position++)
        {
            _positions.Add(position);
            _ropeLengths.Add(Math.Max(request.PromptLength, position + 1));
        }

        AppendScalings(firstRow, request, isScout);
        AppendVirtual(firstRow, request);
        All.Append(firstRow, count, request.FirstPosition, request.Adapters);
        RowGroup? outputs = request.Output switch
        {
            SegmentOutput.LastLogits or SegmentOutput.AllLogits or SegmentOutput.SelectedLogits => Logits,
            SegmentOutput.AllHidden => Hidden,
            _ => null,
        };
        int firstOutput = outputs?.Count ?? 0;
        int outputCount = request.Output switch
        {
            SegmentOutput.None => 0,
            SegmentOutput.LastLogits => 1,
            SegmentOutput.SelectedLogits => request.OutputRows.Length,
            _ => count,
        };
        if (request.Output == SegmentOutput.SelectedLogits)
        {
            AppendSelected(firstRow, request);
        }
        else
        {
            outputs?.Append(firstRow + count - outputCount, outputCount, end - outputCount, request.Adapters);
        }

        _segments.Add(new Segment(firstRow, count, request.FirstPosition, firstPage, firstOutput, outputCount));
        return _segments.Count - 1;
    }

    /// <summary>Makes room for the rows' scalings, and has the segment run ahead to find them.</summary>
    private void AppendScalings(int firstRow, in SegmentRequest request, bool isScout)
    {
        int count = request.Tokens.Length;
        ResidentAdapter? classified = null;
        foreach (AdapterUse use in request.Adapters)
        {
            Debug.Assert(classified is null || use.Adapter.Classifier is null, "One adapter of a stack has a classifier.");
            classified = use.Adapter.Classifier is null ? classified : use.Adapter;
        }

        if (classified?.Classifier is not { } classifier)
        {
            Scalings.Add(count, 0, []);
            return;
        }

        Scalings.Add(count, classifier.ScalingCount, isScout ? classifier.PassScalings : []);
        if (isScout)
        {
            return;
        }

        ScoutedSegments.Add(new Scouted(firstRow, count, classifier));
        var pass = new AdapterUse(classified);
        Scouts ??= new TokenBatch();
        Scouts.Add(
            new SegmentRequest
            {
                Tokens = request.Tokens,
                FirstPosition = request.FirstPosition,
                Pages = request.ScoutPages,
                PromptLength = request.PromptLength,
                Adapters = classifier.PassScalings.Length > 0 ? new ReadOnlySpan<AdapterUse>(in pass) : [],
                Output = SegmentOutput.AllHidden,
            },
            isScout: true);
    }

    /// <summary>Notes whose the segment's virtual rows are: by their numbers, since a segment can begin amid them.</summary>
    private void AppendVirtual(int firstRow, in SegmentRequest request)
    {
        for (int i = 0; i < request.Tokens.Length && request.Tokens[i] < 0; i++)
        {
            int index = -1 - request.Tokens[i];
            foreach (AdapterUse use in request.Adapters)
            {
                if (index < use.Adapter.VirtualRows)
                {
                    _virtualRows.Add(new VirtualRow(firstRow + i, use.Adapter, use.Weight, (use.Task * use.Adapter.VirtualRows) + index));
                    break;
                }

                index -= use.Adapter.VirtualRows;
            }

            Debug.Assert(_virtualRows.Count > 0 && _virtualRows[^1].Row == firstRow + i, "Only as many tokens are negative as the adapters have virtual rows.");
        }
    }

    /// <summary>Appends the wanted rows to the logits' group, adjacent ones together.</summary>
    private void AppendSelected(int firstRow, in SegmentRequest request)
    {
        ReadOnlySpan<int> wanted = request.OutputRows;
        for (int i = 0, next; i < wanted.Length; i = next)
        {
            for (next = i + 1; next < wanted.Length && wanted[next] == wanted[next - 1] + 1; next++)
            {
            }

            Debug.Assert(wanted[next - 1] < request.Tokens.Length && (i == 0 || wanted[i] > wanted[i - 1]), "Offsets are ascending and within the segment.");
            Logits.Append(firstRow + wanted[i], next - i, request.FirstPosition + wanted[i], request.Adapters);
        }
    }

    /// <summary>Rows of the batch that <see cref="Scouts"/> has too, in order.</summary>
    internal readonly record struct Scouted(int FirstRow, int RowCount, RowClassifier Classifier);
}

using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Cpu.Tests.Forward;

public sealed class TokenBatchTests : IDisposable
{
    private readonly Transformer _model = TinyModel.Create(seed: 1);
    private readonly ResidentAdapter _a;
    private readonly ResidentAdapter _b;
    private readonly TokenBatch _batch = new();

    public TokenBatchTests()
    {
        _a = TinyModel.CreateResident(_model, seed: 2, rank: 2);
        _b = TinyModel.CreateResident(_model, seed: 3, rank: 2);
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Add_NeighboursWithTheSameAdapter_ShareARun()
    {
        Add(3, 0, SegmentOutput.LastLogits, new AdapterUse(_a));
        Add(2, 5, SegmentOutput.AllLogits, new AdapterUse(_a));
        Add(1, 0, SegmentOutput.None);
        Add(4, 0, SegmentOutput.LastLogits, new AdapterUse(_a));
        Assert.Equal([new EditRun(0, 5, _a, 1, 0), new EditRun(6, 4, _a, 1, 0)], _batch.All.Runs.ToArray());
        Assert.Equal([new EditRun(0, 4, _a, 1, 0)], _batch.Logits.Runs.ToArray());
        Assert.Equal([2, 3, 4, 9], _batch.Logits.Sources.ToArray());
    }

    [Fact]
    public void Add_AnotherWeight_BeginsARun()
    {
        Add(1, 0, SegmentOutput.None, new AdapterUse(_a));
        Add(1, 0, SegmentOutput.None, new AdapterUse(_a, 0.5f));
        Assert.Equal([new EditRun(0, 1, _a, 1, 0), new EditRun(1, 1, _a, 0.5f, 0)], _batch.All.Runs.ToArray());
    }

    [Fact]
    public void Add_Stacks_ListRunsOfARowInStackOrder()
    {
        Add(2, 0, SegmentOutput.None, new AdapterUse(_a), new AdapterUse(_b));
        Add(2, 0, SegmentOutput.None, new AdapterUse(_a), new AdapterUse(_b));
        Add(2, 0, SegmentOutput.None, new AdapterUse(_a, 0.5f), new AdapterUse(_b));
        Assert.Equal(
            [new EditRun(0, 4, _a, 1, 0), new EditRun(0, 4, _b, 1, 1), new EditRun(4, 2, _a, 0.5f, 0), new EditRun(4, 2, _b, 1, 1)],
            _batch.All.Runs.ToArray());
    }

    [Fact]
    public void Add_AdapterActiveFromAPosition_LeavesRowsBeforeItAlone()
    {
        Add(4, 10, SegmentOutput.AllLogits, new AdapterUse(_a, 1, ActiveFrom: 12));
        Add(2, 3, SegmentOutput.LastLogits, new AdapterUse(_a, 1, ActiveFrom: 12));
        Add(1, 30, SegmentOutput.LastLogits, new AdapterUse(_a, 1, ActiveFrom: 12));
        Assert.Equal([new EditRun(2, 2, _a, 1, 0), new EditRun(6, 1, _a, 1, 0)], _batch.All.Runs.ToArray());
        Assert.Equal([new EditRun(2, 2, _a, 1, 0), new EditRun(5, 1, _a, 1, 0)], _batch.Logits.Runs.ToArray());
    }

    [Fact]
    public void Add_Outputs_SaysWhereTheyAre()
    {
        Add(3, 0, SegmentOutput.AllHidden);
        Add(3, 0, SegmentOutput.LastLogits);
        Add(2, 0, SegmentOutput.AllHidden);
        Add(2, 0, SegmentOutput.AllLogits);
        Assert.Equal([(0, 3), (0, 1), (3, 2), (1, 2)], _batch.Segments.ToArray().Select(s => (s.FirstOutput, s.OutputCount)));
        Assert.Equal([0, 1, 2, 6, 7], _batch.Hidden.Sources.ToArray());
        Assert.Equal([5, 8, 9], _batch.Logits.Sources.ToArray());
    }

    [Fact]
    public void Add_SelectedLogits_TakesTheseRowsAndTheirAdapters()
    {
        Add(2, 0, SegmentOutput.LastLogits);
        _batch.Add(new SegmentRequest
        {
            Tokens = TinyModel.Tokens(1, 8, 50),
            FirstPosition = 10,
            Pages = [0, 1],
            Adapters = [new AdapterUse(_a, 1, ActiveFrom: 13), new AdapterUse(_b)],
            Output = SegmentOutput.SelectedLogits,
            OutputRows = [0, 2, 3, 4, 7],
        });
        Add(1, 0, SegmentOutput.LastLogits, new AdapterUse(_b));
        Assert.Equal([1, 2, 4, 5, 6, 9, 10], _batch.Logits.Sources.ToArray());
        Assert.Equal((1, 5), (_batch.Segments[1].FirstOutput, _batch.Segments[1].OutputCount));
        AssertActsOn(_batch.Logits, _a, [3, 4, 5]);
        AssertActsOn(_batch.Logits, _b, [1, 2, 3, 4, 5, 6]);
    }

    [Fact]
    public void Add_SelectedLogitsOfNothing_HasNoOutputs()
    {
        _batch.Add(new SegmentRequest { Tokens = [1, 2], Pages = [0], Output = SegmentOutput.SelectedLogits });
        Assert.Equal(0, _batch.Logits.Count);
        Assert.Equal(0, _batch.Segments[0].OutputCount);
    }

    [Fact]
    public void CopyRange_OfAGroup_CutsRowsAndRuns()
    {
        Add(3, 0, SegmentOutput.AllLogits, new AdapterUse(_a), new AdapterUse(_b));
        Add(4, 0, SegmentOutput.AllLogits, new AdapterUse(_a, 0.5f));
        var part = new RowGroup();
        part.CopyRange(_batch.Logits, 0, 1); // what it was before is gone
        part.CopyRange(_batch.Logits, 2, 3);
        Assert.Equal([2, 3, 4], part.Sources.ToArray());
        Assert.Equal([new EditRun(0, 1, _a, 1, 0), new EditRun(0, 1, _b, 1, 1), new EditRun(1, 2, _a, 0.5f, 0)], part.Runs.ToArray());
    }

    [Fact]
    public void Add_RopeLengths_AreThePromptsOrBeyond()
    {
        _batch.Add(new SegmentRequest { Tokens = [1, 2, 3], FirstPosition = 4, Pages = [0], PromptLength = 6 });
        Assert.Equal([6, 6, 7], _batch.RopeLengths.ToArray());
        Assert.Equal([4, 5, 6], _batch.Positions.ToArray());
    }

    [Fact]
    public void Add_VirtualRows_AreThoseOfTheStackInOrderWhereverAChunkBegins()
    {
        using ResidentAdapter prompt = TinyEdits.VirtualTokens(_model, 1, 3);
        using ResidentAdapter prefix = TinyEdits.Prefix(_model, 2, 2);
        AdapterUse[] stack = [new(_a), new(prompt, 0.5f), new(_b), new(prefix)];
        Assert.Equal([-1, -2, -3, -4, -5], VirtualRow.Tokens(5));
        Add(2, 0, SegmentOutput.None);
        _batch.Add(new SegmentRequest { Tokens = [-2, -3, -4, -5, 8, 9], FirstPosition = 1, Pages = [0], Adapters = stack });
        _batch.Add(new SegmentRequest { Tokens = [-1], Pages = [1], Adapters = stack });
        Assert.Equal(
            [new(2, prompt, 0.5f, 1), new(3, prompt, 0.5f, 2), new(4, prefix, 1, 0), new(5, prefix, 1, 1), new(8, prompt, 0.5f, 0)],
            _batch.VirtualRows.ToArray());
        _batch.Clear();
        Assert.Equal(0, _batch.VirtualRows.Length);
    }

    /// <summary>The rows of a group that an adapter acts on, each by one run.</summary>
    private static void AssertActsOn(RowGroup group, ResidentAdapter adapter, int[] rows) => Assert.Equal(
        rows,
        group.Runs.ToArray().Where(run => run.Adapter == adapter).SelectMany(run => Enumerable.Range(run.FirstRow, run.RowCount)));

    private void Add(int count, int firstPosition, SegmentOutput output, params AdapterUse[] adapters) => _batch.Add(new SegmentRequest
    {
        Tokens = TinyModel.Tokens(1, count, 50),
        FirstPosition = firstPosition,
        Pages = [0, 1, 2, 3],
        PromptLength = firstPosition + count,
        Adapters = adapters,
        Output = output,
    });
}

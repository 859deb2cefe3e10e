using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu.Forward;
using LoraServe.Cpu.Resident;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Cpu.Tests.Forward;

/// <summary>Edits against other edits, or prompts, that mean the same.</summary>
public sealed class EditsTests : IDisposable
{
    private readonly Transformer _model = TinyModel.Create(seed: 1);
    private readonly ForwardHarness _harness;
    private readonly int[] _prompt;

    public EditsTests()
    {
        _harness = new ForwardHarness(_model, workers: 2);
        _prompt = TinyModel.Tokens(2, 23, _model.VocabularySize);
    }

    public void Dispose()
    {
        _harness.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData(ElementType.F32)]
    [InlineData(ElementType.Q4_1)]
    public void Forward_EverythingReplaced_GivesTheBitsOfTheOtherModel(ElementType type)
    {
        using Transformer model = TinyModel.Create(seed: 21, Arithmetic.Fast, type);
        using var harness = new ForwardHarness(model, workers: 2);
        using ResidentAdapter replaced = model.Place(TinyEdits.Replacements(_model));
        Assert.Equal(_harness.Logits(_prompt), harness.Logits(_prompt, new AdapterUse(replaced)));
        Assert.Equal(_harness.Logits(_prompt), harness.Logits(_prompt, new AdapterUse(replaced, 0.5f)));
        Assert.NotEqual(_harness.Logits(_prompt), harness.Logits(_prompt));
    }

    [Fact]
    public void Create_ReplacedAndEdited_IsRefused()
    {
        BaseModule module = _model.Modules.First(module => module.Site.Role == SiteRole.Up);
        ArgumentException refused = Assert.Throws<ArgumentException>(() => _model.Place(
            [.. TinyEdits.Replacements(_model), new OutputScale(module.Site, new float[module.Outputs])]));
        Assert.Contains(module.Path, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_VirtualTokensThatAreTokens_GiveTheSameBitsAsThePromptWithThem()
    {
        int[] begin = TinyModel.Tokens(5, 19, _model.VocabularySize);
        var rows = new FloatMatrix(begin.Length, _model.Width);
        for (int i = 0; i < begin.Length; i++)
        {
            _model.CopyWeightRow(Site.Embedding, begin[i], rows.Row(i));
        }

        using ResidentAdapter first = _model.Place([new VirtualTokens(new FloatMatrix(7, _model.Width, rows.Values[..(7 * _model.Width)]))]);
        using ResidentAdapter rest = _model.Place([new VirtualTokens(new FloatMatrix(12, _model.Width, rows.Values[(7 * _model.Width)..]))]);
        using ResidentAdapter lora = TinyModel.CreateResident(_model, seed: 6, rank: 3);
        using ResidentAdapter norms = _model.Place(
            [.. TinyModel.CreateAdapter(_model, 6, 3, scaled: true).Edits.Where(edit => edit is NormDelta or BiasDelta)]);

        // Adapters of the stack without a row of their own act on virtual rows as on others; only the token table's edits cannot.
        float[][] expected = _harness.Logits([.. begin, .. _prompt], new AdapterUse(norms))[begin.Length..];
        Assert.Equal(expected, _harness.Logits(_prompt, new AdapterUse(first), new AdapterUse(norms), new AdapterUse(rest)));
        Assert.NotEqual(expected, _harness.Logits(_prompt, new AdapterUse(first), new AdapterUse(lora), new AdapterUse(rest)));

        using var pool = new Compute.Workers.WorkerPool(1);
        using var single = new SingleSequence(_model, pool, _prompt.Length, first, norms, rest);
        for (int round = 0; round < 2; round++)
        {
            single.Begin(_prompt);
            single.Advance(_prompt.AsSpan(0, 5), SegmentOutput.None);
            Assert.Equal(5, single.Length);
            Assert.Equal(expected[^1], single.Advance(_prompt.AsSpan(5), SegmentOutput.LastLogits).Span(0).ToArray());
        }
    }

    [Fact]
    public unsafe void Attend_Prefix_TakesThePlaceOfItsRowsKeysAndValues()
    {
        const int Count = 5;
        const float Weight = 0.5f;
        using ResidentAdapter prefix = TinyEdits.Prefix(_model, seed: 7, Count);
        using var pool = new Compute.Workers.WorkerPool(2);
        using var pages = new KvPool(_model.Spec, 2, Compute.Tensors.ElementType.F32);
        using var ops = new EagerOps(((CpuTransformer)_model).Packed, pages, pool);
        using var memory = new Compute.Memory.ScratchArena();
        int keyWidth = _model.Spec.KeyValueHeads * _model.Spec.HeadSize;
        var queries = memory.Rent(9, _model.Spec.QueryHeads * _model.Spec.HeadSize);
        var keys = memory.Rent(9, keyWidth);
        var values = memory.Rent(9, keyWidth);
        var random = new Random(8);
        foreach (var rows in (ReadOnlySpan<Compute.Memory.Rows>)[queries, keys, values])
        {
            foreach (ref float value in new Span<float>(rows[0], rows.Count * rows.Width))
            {
                value = random.NextSingle() - 0.5f;
            }
        }

        var batch = new TokenBatch();
        batch.Add(new SegmentRequest { Tokens = [.. VirtualRow.Tokens(Count), 1, 2, 3, 4], Pages = [1], Adapters = [new AdapterUse(prefix, Weight)] });
        ops.BeginStep(batch);
        float[] attended = [.. Row(ops.Attend(queries, keys, values, 1, batch), 8)];
        PrefixEdit edit = ((CpuAdapter)prefix).PrefixAt(1)!;
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal(new Span<float>((float*)edit.Keys + (i * keyWidth), keyWidth), keys.Span(i));
            Assert.Equal(Weight * ((float*)edit.Values)[(i * keyWidth) + 3], values.Span(i)[3]);
        }

        batch.Clear();
        batch.Add(new SegmentRequest { Tokens = [1, 2, 3, 4, 5, 6, 7, 8, 9], Pages = [0] });
        ops.BeginStep(batch);
        Assert.Equal(attended, Row(ops.Attend(queries, keys, values, 1, batch), 8));

        static float[] Row(Compute.Memory.Rows rows, int row) => rows.Span(row).ToArray();
    }

    [Fact]
    public void Forward_WeightOfNothing_IsTheBase()
    {
        using ResidentAdapter scales = TinyEdits.Scales(_model, 1);
        using ResidentAdapter shared = TinyEdits.Shared(_model, 1, 4);
        using ResidentAdapter bottlenecks = TinyEdits.Bottlenecks(_model, 1, BottleneckInput.Sum);
        float[][] expected = _harness.Logits(_prompt);
        Assert.Equal(expected, _harness.Logits(_prompt, new AdapterUse(scales, 0), new AdapterUse(shared, 0), new AdapterUse(bottlenecks, 0)));
        Assert.NotEqual(expected, _harness.Logits(_prompt, new AdapterUse(scales)));
        Assert.NotEqual(expected, _harness.Logits(_prompt, new AdapterUse(shared)));
        Assert.NotEqual(expected, _harness.Logits(_prompt, new AdapterUse(bottlenecks)));
    }
}

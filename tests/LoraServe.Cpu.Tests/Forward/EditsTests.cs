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
    private const float Tolerance = 2e-4f;
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
    [InlineData(1f)]
    [InlineData(0.3f)]
    public void Forward_ScaledInputs_AreWeightsWithScaledColumns(float weight)
    {
        var random = new Random(3);
        List<AdapterEdit> scales = [];
        List<AdapterEdit> changes = [];
        foreach (BaseModule module in _model.Modules.Where(module => module.Site.Role is SiteRole.Key or SiteRole.Up or SiteRole.Down or SiteRole.Head))
        {
            float[] scale = [.. Enumerable.Range(0, module.Inputs).Select(_ => 0.5f + random.NextSingle())];
            var change = new FloatMatrix(module.Outputs, module.Inputs);
            for (int row = 0; row < module.Outputs; row++)
            {
                _model.CopyWeightRow(module.Site, row, change.Row(row));
                for (int i = 0; i < module.Inputs; i++)
                {
                    change.Row(row)[i] *= scale[i] - 1;
                }
            }

            scales.Add(new InputScale(module.Site, scale));
            changes.Add(new DenseDelta(module.Site, change));
        }

        AssertSame(changes, scales, weight);
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(0.3f)]
    public void Forward_RotatedInputs_AreRotatedWeights(float weight)
    {
        var random = new Random(4);
        List<AdapterEdit> rotations = [];
        List<AdapterEdit> changes = [];
        foreach (BaseModule module in _model.Modules.Where(module => module.Site.Role is SiteRole.Key or SiteRole.Up or SiteRole.Down or SiteRole.Head))
        {
            int[] order = [.. Enumerable.Range(0, module.Inputs).OrderBy(_ => random.Next())];
            var rotation = new InputRotation(module.Site, [Rotation(random, module.Inputs, 8, []), Rotation(random, module.Inputs, 4, order)]);
            var change = new FloatMatrix(module.Outputs, module.Inputs);
            float[] original = new float[module.Inputs];
            for (int row = 0; row < module.Outputs; row++)
            {
                _model.CopyWeightRow(module.Site, row, original);
                float[] rotated = Through(rotation.Factors[0], Through(rotation.Factors[1], original));
                for (int i = 0; i < module.Inputs; i++)
                {
                    change.Row(row)[i] = rotated[i] - original[i];
                }
            }

            rotations.Add(rotation);
            changes.Add(new DenseDelta(module.Site, change));
        }

        AssertSame(changes, rotations, weight);
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(-0.5f)]
    public void Forward_SharedPairs_ArePairsWithTheirScales(float weight)
    {
        const int Rank = 5;
        var random = new Random(4);
        var a = new SharedMatrix(Matrix(Rank, 96));
        var b = new SharedMatrix(Matrix(110, Rank));
        List<AdapterEdit> shared = [];
        List<AdapterEdit> pairs = [];
        foreach (BaseModule module in _model.Modules.Where(module => module.Site != Site.Embedding))
        {
            float[] rankScale = Values(Rank);
            float[] productScale = Values(module.Outputs);
            var down = new FloatMatrix(Rank, module.Inputs);
            var up = new FloatMatrix(module.Outputs, Rank);
            for (int k = 0; k < Rank; k++)
            {
                a.Values.Row(k)[..module.Inputs].CopyTo(down.Row(k));
                for (int row = 0; row < module.Outputs; row++)
                {
                    up.Row(row)[k] = productScale[row] * b.Values.Row(row)[k] * rankScale[k];
                }
            }

            shared.Add(new SharedLowRank(module.Site, a, b, rankScale, productScale));
            pairs.Add(new LowRank(module.Site, down, up, 1));
        }

        AssertSame(pairs, shared, weight);

        FloatMatrix Matrix(int rows, int columns) => new(rows, columns, Values(rows * columns));
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
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

    private static BlockRotation Rotation(Random random, int inputs, int size, int[] order) =>
        new(new FloatMatrix(inputs, size, [.. Enumerable.Range(0, inputs * size).Select(_ => (random.NextSingle() - 0.5f) / 2)]), order);

    /// <summary>row + row·D, where D[i, j] is what input j adds to input i.</summary>
    private static float[] Through(BlockRotation factor, float[] row)
    {
        float[] rotated = [.. row];
        for (int place = 0; place < row.Length; place++)
        {
            for (int c = 0; c < factor.Size; c++)
            {
                rotated[Input(place)] += factor.Changes.Row(place)[c] * row[Input((place / factor.Size * factor.Size) + c)];
            }
        }

        return rotated;

        int Input(int place) => factor.Order.Length == 0 ? place : factor.Order[place];
    }

    private void AssertSame(List<AdapterEdit> expected, List<AdapterEdit> actual, float weight)
    {
        using ResidentAdapter reference = _model.Place(expected);
        using ResidentAdapter adapter = _model.Place(actual);
        float[] logits = [.. _harness.Logits(_prompt, new AdapterUse(reference, weight)).SelectMany(row => row)];
        Assert.InRange(Golden.LargestDifference(_harness.Logits(_prompt, new AdapterUse(adapter, weight)), logits), 0, Tolerance);
        Assert.True(Golden.LargestDifference(_harness.Logits(_prompt), logits) > 100 * Tolerance);
    }
}

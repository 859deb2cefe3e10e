using System.Collections.Immutable;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Resident;
using LoraServe.Compute;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Models.Architectures;

namespace LoraServe.Testing;

/// <summary>Small random transformers and adapters, the same for the same seed.</summary>
public static unsafe class TinyModel
{
    /// <summary>Grouped-query attention with biases on q, k and v, in two layers of which the second has a window.</summary>
    public static TransformerSpec DefaultSpec { get; } = new()
    {
        Architecture = "tiny",
        LayerCount = 2,
        Width = 64,
        QueryHeads = 4,
        KeyValueHeads = 2,
        HeadSize = 24,
        FeedForwardWidth = 96,
        VocabularySize = 101,
        ContextLength = 512,
        NormEpsilon = 1e-5f,
        TiedHead = false,
        Rope = new RopeSpec { Theta = 10_000 },
        Windows = [0, 20],
        Biases = [SiteRole.Query, SiteRole.Key, SiteRole.Value],
    };

    /// <summary>Makes a model.</summary>
    /// <param name="seed">What its weights are drawn from.</param>
    /// <param name="arithmetic">What its matrices are packed for.</param>
    /// <param name="type">Stored type of its matrices: F32, Q8_0, Q4_0 or Q4_1.</param>
    /// <param name="spec">Its shape; <see cref="DefaultSpec"/> when null.</param>
    public static Transformer Create(int seed, Arithmetic arithmetic = Arithmetic.Exact, ElementType type = ElementType.F32, TransformerSpec? spec = null)
    {
        spec ??= DefaultSpec;
        var random = new Random(seed);
        Tensor table = Matrix(random, type, spec.VocabularySize, spec.Width);
        var norms = ImmutableArray.CreateBuilder<NativeBuffer>();
        var linears = ImmutableArray.CreateBuilder<LinearWeights>();
        for (int layer = 0; layer < spec.LayerCount; layer++)
        {
            norms.AddRange(spec.LayerNorms.Select(_ => Gains(random, spec.Width)));
            linears.AddRange(spec.Sites.Linears.Where(site => site.Layer == layer).Select(Linear));
        }

        linears.Add(spec.TiedHead ? new LinearWeights(Site.Head, PackedMatrix.Pack(table, arithmetic), null) : Linear(Site.Head));
        norms.Add(Gains(random, spec.Width));
        var weights = new TransformerWeights(spec, table, linears.ToImmutable(), norms.ToImmutable());
        return new Transformer(weights, arithmetic, $"tiny-{seed}-{type}", ParameterNames.HuggingFace, new MemoryStream());

        LinearWeights Linear(Site site)
        {
            (int outputs, int inputs) = spec.Shape(site.Role);
            NativeBuffer? bias = spec.Biases.Contains(site.Role) ? Buffer(Values(random, outputs, 0.5f)) : null;
            return new LinearWeights(site, PackedMatrix.Pack(Matrix(random, type, outputs, inputs), arithmetic), bias);
        }
    }

    /// <summary>Makes a low-rank adapter of every linear map, the head and the token table.</summary>
    /// <param name="model">Its base.</param>
    /// <param name="seed">What its weights are drawn from.</param>
    /// <param name="rank">Rank of every pair.</param>
    /// <param name="scaled">Whether it also scales outputs (DoRA), adds biases and changes norms.</param>
    public static Adapter CreateAdapter(IBaseModel model, int seed, int rank, bool scaled = false)
    {
        var random = new Random(seed);
        var edits = ImmutableArray.CreateBuilder<AdapterEdit>();
        foreach (BaseModule module in model.Modules)
        {
            bool isTable = module.Site == Site.Embedding;
            (int outputs, int inputs) = isTable ? (module.Inputs, module.Outputs) : (module.Outputs, module.Inputs);
            edits.Add(new LowRank(module.Site, Random(random, rank, inputs), Random(random, outputs, rank), 0.5f));
            if (scaled && !isTable)
            {
                edits.Add(new OutputScale(module.Site, [.. Values(random, outputs, 0.2f).Select(value => 1 + value)]));
                edits.Add(new BiasDelta(module.Site, Values(random, outputs, 0.2f)));
            }
        }

        if (scaled)
        {
            edits.AddRange(model.Norms.Select(norm => new NormDelta(norm.Site, Values(random, norm.Width, 0.2f))));
        }

        var report = new AdapterReport
        {
            Method = "LoRA",
            MatchedModules = [.. model.Modules.Select(module => module.Path)],
            UnmatchedModules = [],
            MinimumRank = rank,
            MaximumRank = rank,
            DeltaNorms = ImmutableSortedDictionary<string, double>.Empty,
            FileBytes = 0,
            TensorCount = 0,
        };
        return new Adapter(edits.ToImmutable(), [], $"tiny-{seed}", report);
    }

    /// <summary>The same in compute form.</summary>
    public static ResidentAdapter CreateResident(IBaseModel model, int seed, int rank, bool scaled = false) =>
        ResidentAdapter.Create(CreateAdapter(model, seed, rank, scaled), model);

    /// <summary>Random tokens of a model's vocabulary.</summary>
    public static int[] Tokens(int seed, int count, int vocabularySize)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabularySize))];
    }

    private static FloatMatrix Random(Random random, int rows, int columns) =>
        new(rows, columns, Values(random, rows * columns, 1f / MathF.Sqrt(Math.Min(rows, columns))));

    private static float[] Values(Random random, int count, float scale) =>
        [.. Enumerable.Range(0, count).Select(_ => ((random.NextSingle() * 2) - 1) * scale)];

    private static NativeBuffer Gains(Random random, int width) => Buffer([.. Values(random, width, 0.3f).Select(value => 1 + value)]);

    private static NativeBuffer Buffer(float[] values)
    {
        var buffer = new NativeBuffer(values.Length * sizeof(float));
        values.CopyTo(new Span<float>(buffer.Pointer, values.Length));
        return buffer;
    }

    /// <summary>A matrix of about unit gain.</summary>
    private static Tensor Matrix(Random random, ElementType type, int rows, int columns)
    {
        float range = 1.7f / MathF.Sqrt(columns);
        if (type == ElementType.F32)
        {
            return Tensor.FromFloats("weight", Values(random, rows * columns, range), rows, columns);
        }

        CodeForm codes = StoredFormats.Of(type).Codes;
        float steps = codes.Bits > 0 ? 1 << (codes.Bits - 1) : throw new ArgumentException($"No random blocks of {type}.", nameof(type));
        int blockBytes = type.BlockBytes();
        byte[] blocks = new byte[type.ByteLength((long)rows * columns)];
        random.NextBytes(blocks);
        for (int block = 0; block < blocks.Length; block += blockBytes)
        {
            float scale = range / steps * (0.5f + random.NextSingle());
            BitConverter.TryWriteBytes(blocks.AsSpan(block), (Half)scale);
            if (codes.HasMinimum)
            {
                BitConverter.TryWriteBytes(blocks.AsSpan(block + sizeof(short)), (Half)(-7.5f * scale));
            }
        }

        return Tensor.FromBytes("weight", type, blocks, rows, columns);
    }
}

using System.Collections.Immutable;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Models.Architectures;
using LoraServe.Models.Config;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Testing;

/// <summary>Small random transformers and adapters, the same for the same seed.</summary>
public static class TinyModel
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

    private static readonly Architecture s_architecture = new()
    {
        Name = "tiny",
        ClassName = "TinyForCausalLM",
        FromHuggingFace = _ => DefaultSpec,
        ToHuggingFace = (_, _, _) => { },
        HuggingFaceNames = ParameterNames.HuggingFace with
        {
            Norms = new(ParameterNames.HuggingFace.Norms) { [NormRole.AfterAttention] = "after_attention", [NormRole.AfterMlp] = "after_mlp" },
            Positions = "model.embed_positions",
        },
    };

    /// <summary>Makes a model.</summary>
    /// <param name="seed">What its weights are drawn from.</param>
    /// <param name="arithmetic">What its matrices are packed for.</param>
    /// <param name="type">Stored type of its matrices: F32 or one of blocks.</param>
    /// <param name="spec">Its shape; <see cref="DefaultSpec"/> when null.</param>
    /// <param name="device">Where it runs; on the processor when null.</param>
    public static Transformer Create(
        int seed, Arithmetic arithmetic = Arithmetic.Exact, ElementType type = ElementType.F32, TransformerSpec? spec = null, IDevice? device = null) =>
        (device ?? CpuDevice.Instance).Load(Weights(seed, type, spec), new ModelLoadOptions { Arithmetic = arithmetic });

    /// <summary>Makes a model's weights.</summary>
    public static ModelWeights Weights(int seed, ElementType type = ElementType.F32, TransformerSpec? spec = null)
    {
        spec ??= DefaultSpec;
        var random = new Random(seed);
        Tensor table = Matrix(random, type, spec.VocabularySize, spec.Width);
        var norms = new Dictionary<NormSite, (Tensor, Tensor?)>();
        var linears = new Dictionary<Site, (Tensor Weight, Tensor? Bias)> { [Site.Embedding] = (table, null) };
        for (int layer = 0; layer < spec.LayerCount; layer++)
        {
            foreach (NormRole role in spec.LayerNorms)
            {
                norms[new NormSite(layer, role)] = Norm(role);
            }

            foreach (Site site in spec.Sites.Linears.Where(site => site.Layer == layer))
            {
                linears[site] = Linear(site);
            }
        }

        if (!spec.TiedHead)
        {
            linears[Site.Head] = Linear(Site.Head);
        }

        norms[NormSite.Final] = Norm(NormRole.Final);
        if (spec.LearnsPositions)
        {
            linears[Site.Positions] = Linear(Site.Positions);
        }

        return new ModelWeights(spec, $"tiny-{seed}-{type}", s_architecture, linears, norms);

        (Tensor Gains, Tensor? Biases) Norm(NormRole role)
        {
            int width = spec.NormWidth(role);
            return (Gains(random, width), spec.CentresNorms ? Tensor.FromFloats("bias", Values(random, width, 0.3f), width) : null);
        }

        (Tensor Weight, Tensor? Bias) Linear(Site site)
        {
            (int outputs, int inputs) = spec.Shape(site.Role);
            Tensor? bias = spec.Biases.Contains(site.Role) ? Tensor.FromFloats("bias", Values(random, outputs, 0.5f), outputs) : null;
            return (Matrix(random, type, outputs, inputs), bias);
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
            bool isTable = module.Site.IsTable;
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
            edits.AddRange(model.Norms.Select(norm => new NormDelta(norm.Site, Values(random, norm.ParameterCount, 0.2f))));
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
    public static ResidentAdapter CreateResident(Transformer model, int seed, int rank, bool scaled = false) =>
        model.Place(CreateAdapter(model, seed, rank, scaled));

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

    private static Tensor Gains(Random random, int width) => Tensor.FromFloats("norm", [.. Values(random, width, 0.3f).Select(value => 1 + value)], width);

    /// <summary>A matrix of about unit gain.</summary>
    private static Tensor Matrix(Random random, ElementType type, int rows, int columns)
    {
        float range = 1.7f / MathF.Sqrt(columns);
        if (type == ElementType.F32)
        {
            return Tensor.FromFloats("weight", Values(random, rows * columns, range), rows, columns);
        }

        StoredFormat stored = StoredFormats.Of(type);
        CodeForm codes = stored.Codes;
        float steps = codes.Bits > 0 ? 1 << (codes.HasLevels ? 7 : codes.Bits - 1) : throw new ArgumentException($"No random blocks of {type}.", nameof(type));
        int typicalFactor = type switch { ElementType.Q6_K => 64, ElementType.Q4_K or ElementType.Q5_K => 48, ElementType.Q3_K or ElementType.IQ4_XS => 16, ElementType.Q2_K => 12, _ => 1 };
        int blockBytes = type.BlockBytes();
        byte[] blocks = new byte[type.ByteLength((long)rows * columns)];
        random.NextBytes(blocks);
        for (int block = 0; block < blocks.Length; block += blockBytes)
        {
            float scale = range / steps / typicalFactor * (0.5f + random.NextSingle());
            BitConverter.TryWriteBytes(blocks.AsSpan(block + stored.Halves[0]), (Half)scale);
            if (codes.HasMinimum)
            {
                // Those of blocks with factors are subtracted.
                float minimum = (0.5f - steps) * scale;
                BitConverter.TryWriteBytes(blocks.AsSpan(block + stored.Halves[1]), (Half)(codes.Factors > 0 ? -minimum : minimum));
            }
        }

        return Tensor.FromBytes("weight", type, blocks, rows, columns);
    }
}

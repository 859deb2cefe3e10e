using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Config;

/// <summary>Reads what the metadata of every family has in common.</summary>
/// <param name="file">The file.</param>
/// <param name="architecture">What its keys start with.</param>
/// <param name="names">What its tensors are called.</param>
internal sealed class GgufConfig(GgufFile file, string architecture, ParameterNames names)
{
    private const string RopeDivisors = "rope_freqs.weight";
    private const string ShortDivisors = "rope_factors_short.weight";
    private const string LongDivisors = "rope_factors_long.weight";
    private readonly GgufMetadata _metadata = file.Metadata;

    /// <summary>The shape, with what <paramref name="form"/> says where the metadata have no field for it.</summary>
    public TransformerSpec Read(ConfigForm form)
    {
        if (_metadata.FindInteger(Key("expert_shared_count")) is > 0 and var shared)
        {
            throw Wrong("expert_shared_count", shared, "0: experts that every row goes through are not supported");
        }

        int width = Integer("embedding_length", SpecLimits.Width);
        int heads = Integer("attention.head_count", SpecLimits.Heads);
        int keyValueHeads = FindInteger("attention.head_count_kv", SpecLimits.Heads) ?? heads;
        if (heads % keyValueHeads != 0)
        {
            throw Wrong("attention.head_count_kv", keyValueHeads, $"a divisor of head_count, {heads}");
        }

        int headSize = HeadSize(width, heads, form);
        int layers = Integer("block_count", SpecLimits.Layers);
        int positions = FindInteger("context_length", int.MaxValue) ?? throw Wrong("context_length", "missing", "an integer");
        RopeSpec rope = form.LearnsPositions ? new RopeSpec { Theta = 1, OriginalContext = positions } : Rope(positions, headSize, form);
        return new TransformerSpec
        {
            Architecture = form.Architecture,
            LayerCount = layers,
            Width = width,
            QueryHeads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            FeedForwardWidth = FindInteger("feed_forward_length", SpecLimits.Width) ?? FindInteger("expert_feed_forward_length", SpecLimits.Width) ?? Integer("feed_forward_length", SpecLimits.Width),
            LearnsPositions = form.LearnsPositions,
            VocabularySize = Vocabulary(),
            ContextLength = SpecLimits.Context(positions, rope),
            NormEpsilon = Epsilon(),
            TiedHead = !Has(names.Of(Site.Head) + ".weight"),
            Rope = rope,
            Windows = [.. new int[layers]],
            Biases = [.. names.Linears.Keys.Where(role => Has(names.Of(new Site(0, role)) + ".bias"))],
        };
    }

    /// <summary>The experts of every layer.</summary>
    /// <param name="width">An expert's width where the metadata do not say it.</param>
    public ExpertsSpec Experts(int? width = null)
    {
        int count = Integer("expert_count", SpecLimits.Experts);
        if ((long)count * Integer("block_count", SpecLimits.Layers) > SpecLimits.ExpertsOfAllLayers)
        {
            throw Wrong("expert_count", count, $"at most {SpecLimits.ExpertsOfAllLayers} experts in all layers together");
        }

        return new ExpertsSpec(count, Integer("expert_used_count", count), FindInteger("expert_feed_forward_length", SpecLimits.Width) ?? width ?? Integer("expert_feed_forward_length", SpecLimits.Width));
    }

    /// <summary>The window of the layers that slide.</summary>
    public int Window() => Integer("attention.sliding_window", int.MaxValue);

    /// <summary>The window of the layers that slide; 0 where there is none.</summary>
    public int FindWindow() => _metadata.FindInteger(Key("attention.sliding_window")) is null or 0 ? 0 : Window();

    /// <summary>Refuses a file of a later family that goes by this one's name: OLMo 3 is OLMo 2 with windows.</summary>
    public void RequireNoWindow()
    {
        if (FindWindow() is > 0 and var window)
        {
            throw Wrong("attention.sliding_window", window, "none: models of this family with windows are not supported");
        }
    }

    /// <summary>A factor or a bound, or null.</summary>
    public float? Float(string name) => (float?)Number(name, 0) is { } value ? value > 0 ? value : throw Wrong(name, value, "a number above 0") : null;

    /// <summary>A truth value.</summary>
    public bool Flag(string name, bool otherwise) => _metadata.FindBool(Key(name)) ?? otherwise;

    private RopeSpec Rope(int positions, int headSize, ConfigForm form)
    {
        int rotary = FindInteger("rope.dimension_count", SpecLimits.HeadSize) ?? headSize;
        if (rotary > headSize || rotary % 2 != 0)
        {
            throw Wrong("rope.dimension_count", rotary, $"an even number of at most the size of a head, {headSize}");
        }

        float[]? longDivisors = Divisors(LongDivisors, rotary);
        var plain = new RopeSpec
        {
            Theta = Number("rope.freq_base", 1) ?? form.DefaultTheta,
            Size = rotary == headSize ? 0 : rotary,
            OriginalContext = FindInteger("rope.scaling.original_context_length", int.MaxValue) ?? positions,
            Divisors = Divisors(longDivisors is null ? RopeDivisors : ShortDivisors, rotary) is { } divisors ? [.. divisors] : [],
        };
        if (longDivisors is not null)
        {
            double stretch = (double)positions / plain.OriginalContext;
            return plain with
            {
                Scaling = RopeScaling.LongRope,
                Factor = stretch,
                LongDivisors = [.. longDivisors],
                Divisors = plain.Divisors.IsEmpty ? throw new ModelFormatException(file.Path, $"has tensor '{LongDivisors}' without '{ShortDivisors}'; expected both") : plain.Divisors,
                AttentionFactor = Float("rope.scaling.attn_factor") ?? (float)RopeConfig.LongSharpening(stretch, plain.OriginalContext),
            };
        }

        double factor = Number("rope.scaling.factor", 0) ?? Number("rope.scale_linear", 0) ?? 1;
        factor = factor == 0 ? 1 : factor; // the converter writes 0 for "none"
        string type = _metadata.FindString(Key("rope.scaling.type")) ?? (factor == 1 ? "none" : "linear");
        return type switch
        {
            "none" => plain,
            "linear" => plain with { Scaling = RopeScaling.Linear, Factor = factor },
            "yarn" when plain.Theta > 1 => plain with
            {
                Scaling = RopeScaling.Yarn,
                Factor = factor,
                BetaFast = Number("rope.scaling.yarn_beta_fast", 0) ?? plain.BetaFast,
                BetaSlow = Number("rope.scaling.yarn_beta_slow", 0) ?? plain.BetaSlow,
                AttentionFactor = (float)(RopeConfig.Sharpening(factor, 1) * (Number("rope.scaling.attn_factor", 0) ?? 1)),
            },
            _ => throw Wrong("rope.scaling.type", type, "none, linear or yarn"),
        };
    }

    private float[]? Divisors(string name, int headSize)
    {
        Tensor? tensor = file.FindTensor(name);
        if (tensor is null)
        {
            return null;
        }

        float[] values = tensor.Shape is [var count] && count == headSize / 2
            ? tensor.ToFloats()
            : throw new ModelFormatException(file.Path, $"tensor {tensor} has the wrong shape; expected [{headSize / 2}], half of what is turned of a head");
        return Array.TrueForAll(values, value => float.IsFinite(value) && value > 0)
            ? values
            : throw new ModelFormatException(file.Path, $"tensor {tensor} has values that are not finite and positive");
    }

    private int HeadSize(int width, int heads, ConfigForm form)
    {
        int headSize = FindInteger("attention.key_length", SpecLimits.HeadSize)
            ?? (width % heads == 0 ? width / heads : throw Wrong("embedding_length", width, $"a multiple of head_count, {heads}"));
        int valueSize = FindInteger("attention.value_length", SpecLimits.HeadSize) ?? headSize;
        return (headSize % 2 == 0 || form.LearnsPositions) && valueSize == headSize
            ? headSize
            : throw Wrong("attention.key_length", headSize, $"an even number equal to value_length, {valueSize}");
    }

    private int Vocabulary()
    {
        string table = names.Table + ".weight";
        if (file.GetTensor(table).Shape is not [var rows, _] || rows > SpecLimits.Vocabulary)
        {
            throw new ModelFormatException(file.Path, $"tensor {file.GetTensor(table)} has the wrong shape; expected [tokens, width] with at most {SpecLimits.Vocabulary} tokens");
        }

        if (_metadata.FindInteger(Key("vocab_size")) is { } size && size != rows)
        {
            throw Wrong("vocab_size", size, $"the number of rows of {table}, {rows}");
        }

        if (_metadata.FindLength("tokenizer.ggml.tokens") is { } tokens && tokens != rows)
        {
            throw new ModelFormatException(file.Path, $"metadata 'tokenizer.ggml.tokens' has {tokens} tokens; expected the number of rows of {table}, {rows}");
        }

        return (int)rows;
    }

    private float Epsilon() => (float?)(Number("attention.layer_norm_rms_epsilon", 0) ?? Number("attention.layer_norm_epsilon", 0)) ?? throw Wrong("attention.layer_norm_rms_epsilon", "missing", "a number");

    private double? Number(string name, double least) => _metadata.FindNumber(Key(name)) is { } value
        ? value >= least && float.IsFinite((float)value) ? value : throw Wrong(name, value, $"a finite number of at least {least}")
        : null;

    private int Integer(string name, int most) => FindInteger(name, most) ?? throw Wrong(name, "missing", "an integer");

    private int? FindInteger(string name, int most) => _metadata.FindInteger(Key(name)) is { } value
        ? value is >= 1 && value <= most ? (int)value : throw Wrong(name, value, $"1 to {most}")
        : null;

    private bool Has(string tensor) => file.Tensors.ContainsKey(tensor) || file.UnsupportedTensors.ContainsKey(tensor);

    private string Key(string name) => $"{architecture}.{name}";

    private ModelFormatException Wrong(string name, object found, string expected) =>
        new(file.Path, FormattableString.Invariant($"metadata '{Key(name)}' is {found}; expected {expected}"));
}

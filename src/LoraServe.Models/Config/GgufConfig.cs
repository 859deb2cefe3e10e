using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Config;

/// <summary>Reads what the metadata of every decoder with rotary positions and a SiLU-gated MLP has in common.</summary>
/// <param name="file">The file.</param>
/// <param name="architecture">What its keys start with.</param>
internal sealed class GgufConfig(GgufFile file, string architecture)
{
    private const string RopeDivisors = "rope_freqs.weight";
    private readonly GgufMetadata _metadata = file.Metadata;

    public TransformerSpec Read()
    {
        if (_metadata.FindInteger(Key("expert_count")) is > 0 and var experts)
        {
            throw Wrong("expert_count", experts, "0: mixtures of experts are not supported");
        }

        int width = Integer("embedding_length", SpecLimits.Width);
        int heads = Integer("attention.head_count", SpecLimits.Heads);
        int keyValueHeads = FindInteger("attention.head_count_kv", SpecLimits.Heads) ?? heads;
        if (heads % keyValueHeads != 0)
        {
            throw Wrong("attention.head_count_kv", keyValueHeads, $"a divisor of head_count, {heads}");
        }

        int headSize = HeadSize(width, heads);
        int layers = Integer("block_count", SpecLimits.Layers);
        int positions = FindInteger("context_length", int.MaxValue) ?? throw Wrong("context_length", "missing", "an integer");
        RopeSpec rope = Rope(positions, headSize);
        return new TransformerSpec
        {
            Architecture = architecture,
            LayerCount = layers,
            Width = width,
            QueryHeads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            FeedForwardWidth = Integer("feed_forward_length", SpecLimits.Width),
            VocabularySize = Vocabulary(),
            ContextLength = SpecLimits.Context(positions, rope),
            NormEpsilon = Epsilon(),
            TiedHead = !Has(ParameterNames.Gguf.Of(Site.Head) + ".weight"),
            Rope = rope,
            Windows = [.. new int[layers]],
            Biases = [.. Enum.GetValues<SiteRole>().Where(role => role < SiteRole.Head && Has(ParameterNames.Gguf.Of(new Site(0, role)) + ".bias"))],
        };
    }

    private RopeSpec Rope(int positions, int headSize)
    {
        int rotary = FindInteger("rope.dimension_count", SpecLimits.HeadSize) ?? headSize;
        if (rotary != headSize)
        {
            throw Wrong("rope.dimension_count", rotary, $"the size of a head, {headSize}");
        }

        var plain = new RopeSpec
        {
            Theta = Number("rope.freq_base", 1) ?? 10_000,
            OriginalContext = FindInteger("rope.scaling.original_context_length", int.MaxValue) ?? positions,
            Divisors = Divisors(headSize) is { } divisors ? [.. divisors] : [],
        };
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

    private float[]? Divisors(int headSize)
    {
        Tensor? tensor = file.FindTensor(RopeDivisors);
        if (tensor is null)
        {
            return null;
        }

        float[] values = tensor.Shape is [var count] && count == headSize / 2
            ? tensor.ToFloats()
            : throw new ModelFormatException(file.Path, $"tensor {tensor} has the wrong shape; expected [{headSize / 2}], half the size of a head");
        return Array.TrueForAll(values, value => float.IsFinite(value) && value > 0)
            ? values
            : throw new ModelFormatException(file.Path, $"tensor {tensor} has values that are not finite and positive");
    }

    private int HeadSize(int width, int heads)
    {
        int headSize = FindInteger("attention.key_length", SpecLimits.HeadSize)
            ?? (width % heads == 0 ? width / heads : throw Wrong("embedding_length", width, $"a multiple of head_count, {heads}"));
        int valueSize = FindInteger("attention.value_length", SpecLimits.HeadSize) ?? headSize;
        return headSize % 2 == 0 && valueSize == headSize
            ? headSize
            : throw Wrong("attention.key_length", headSize, $"an even number equal to value_length, {valueSize}");
    }

    private int Vocabulary()
    {
        string table = ParameterNames.Gguf.Table + ".weight";
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

    private float Epsilon() =>
        Number("attention.layer_norm_rms_epsilon", 0) is { } epsilon ? (float)epsilon : throw Wrong("attention.layer_norm_rms_epsilon", "missing", "a number");

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

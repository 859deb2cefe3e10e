using System.Globalization;
using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Bottlenecks;

/// <summary>AdapterHub's <c>adapter_config.json</c> of a bottleneck adapter. What would change the result and is not supported is refused by name.</summary>
internal sealed class BottleneckConfig
{
    private const string Factor = "reduction_factor";
    private readonly Dictionary<string, double> _factors;
    private readonly int[] _leftOut;
    private readonly bool _afterAttention;
    private readonly bool _afterMlp;

    private BottleneckConfig(string name, ConfigFields fields)
    {
        Name = name;
        fields.RequireUnset("architecture", "only bottleneck adapters are read from AdapterHub's files");
        _afterAttention = fields.Flag("mh_adapter", false);
        _afterMlp = fields.Flag("output_adapter", false);
        _factors = ReadFactors(fields);
        _leftOut = fields.Integers("leave_out") ?? [];
        bool parallel = fields.Flag("is_parallel", false);
        bool sum = fields.Flag("original_ln_before", false);
        Input = parallel ? BottleneckInput.Residual : sum ? BottleneckInput.Sum : BottleneckInput.Sublayer;
        if (fields.Find("residual_before_ln") is { } residual && residual.ValueKind != JsonValueKind.True && Input == BottleneckInput.Sum)
        {
            throw fields.Refuse("residual_before_ln", residual, "true, as in every bottleneck that reads the sum");
        }

        HasNorm = fields.Flag("ln_after", false);
        NormCoversSublayer = fields.Flag("adapter_residual_before_ln", false) && !parallel;
        Activation = ReadActivation(fields);
        (Scale, ScalesChannels) = ReadScale(fields);
        Phm = fields.Flag("phm_layer", false) ? PhmConfig.Read(fields) : null;
        RefuseTheRest(fields);
    }

    /// <summary>The adapter's name in the tensors' names.</summary>
    public string Name { get; }

    /// <summary>What a bottleneck reads.</summary>
    public BottleneckInput Input { get; }

    /// <summary>Whether a norm follows.</summary>
    public bool HasNorm { get; }

    /// <summary>Whether the norm is over f + sub.</summary>
    public bool NormCoversSublayer { get; }

    /// <summary>The non-linearity.</summary>
    public Activation Activation { get; }

    /// <summary>The factor of what is added; null: it is in the file.</summary>
    public float? Scale { get; }

    /// <summary>Whether the file has a factor for every channel instead of one.</summary>
    public bool ScalesChannels { get; }

    /// <summary>How projections are put together from Kronecker products (Compacter); null: they are stored.</summary>
    public PhmConfig? Phm { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static BottleneckConfig Read(ConfigFields fields) =>
        new(fields.Text("name") ?? throw new AdapterFormatException($"{fields.File}: field 'name' is missing; expected the adapter's name, which is part of its tensors' names. Save the adapter again."), new ConfigFields(fields.File, fields.Find("config")!.Value, fields.Notes));

    /// <summary>Whether there is a bottleneck.</summary>
    public bool Has(int layer, BottleneckPlace place) =>
        (place == BottleneckPlace.Attention ? _afterAttention : _afterMlp) && !_leftOut.Contains(layer);

    /// <summary>Width of a layer's bottlenecks.</summary>
    public int Size(int layer, int width) =>
        Math.Max((int)Math.Floor(width / (_factors.TryGetValue(layer.ToString(CultureInfo.InvariantCulture), out double factor) ? factor : _factors["default"])), 1);

    private static Dictionary<string, double> ReadFactors(ConfigFields fields)
    {
        Dictionary<string, double> factors = fields.Find(Factor) switch
        {
            null => new() { ["default"] = 2 },
            { ValueKind: JsonValueKind.Object } => fields.Entries(Factor).ToDictionary(entry => entry.Name, entry => fields.Number($"{Factor}.{entry.Name}", entry.Value)),
            _ => new() { ["default"] = fields.Number(Factor)!.Value },
        };
        if (!factors.ContainsKey("default") || factors.Values.Any(factor => factor < 1e-3))
        {
            throw fields.Refuse(Factor, fields.Find(Factor)!.Value, "a number of at least 0.001, or such numbers by layer with a 'default'");
        }

        return factors;
    }

    private static Activation ReadActivation(ConfigFields fields)
    {
        const string Field = "non_linearity";
        return fields.Text(Field)?.ToLowerInvariant() switch
        {
            "relu" => Activation.Relu,
            "leakyrelu" => Activation.LeakyRelu,
            "swish" or "silu" => Activation.Silu,
            "gelu" => Activation.Gelu,
            "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" => Activation.TanhGelu,
            "tanh" => Activation.Tanh,
            "sigmoid" => Activation.Sigmoid,
            var other => throw new AdapterFormatException($"{fields.File}: field '{Field}' is '{other}'; expected relu, leakyrelu, swish, silu, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, tanh or sigmoid."),
        };
    }

    private static (float? Scale, bool ScalesChannels) ReadScale(ConfigFields fields)
    {
        const string Field = "scaling";
        return fields.Find(Field) switch
        {
            null => (1, false),
            { ValueKind: JsonValueKind.String } text when text.GetString() == "learned" => (null, false),
            { ValueKind: JsonValueKind.String } text when text.GetString() == "channel" => (null, true),
            { ValueKind: JsonValueKind.Number } => ((float)fields.Number(Field)!.Value, false),
            { } value => throw fields.Refuse(Field, value, "a number, learned or channel"),
        };
    }

    private static void RefuseTheRest(ConfigFields fields)
    {
        fields.RequireUnset("use_gating", "a gate averages over the whole sequence, also over tokens to come");
        fields.RequireUnset("ln_before", "AdapterHub cannot save it as safetensors");
        fields.RequireUnset("inv_adapter", "invertible adapters are not supported");
        fields.RequireUnset("cross_adapter", "the base has no cross attention");
        if (!fields.Flag("original_ln_after", true))
        {
            throw new AdapterFormatException($"{fields.File}: field 'original_ln_after' is false, so that the residual stream would be left out; expected true.");
        }

        fields.Ignore(
            "dropout", "stochastic_depth", "init_weights", "init_weights_seed", "inv_adapter_reduction_factor", "hypercomplex_nonlinearity", "phm_c_init", "phm_init_range",
            "learn_phm", "phm_bias", "phm_dim", "phm_rank", "factorized_phm_W", "factorized_phm_rule", "shared_W_phm", "shared_phm_rule");
        PeftConfig.RefuseTheRest(fields);
    }
}

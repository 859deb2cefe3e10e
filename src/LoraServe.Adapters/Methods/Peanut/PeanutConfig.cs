using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Peanut;

/// <summary>An <c>adapter_config.json</c> of peft_type PEANUT.</summary>
internal sealed class PeanutConfig
{
    private PeanutConfig(ConfigFields fields)
    {
        Rank = fields.Integer("r", 1) ?? 32;
        Depth = fields.Integer("depth", 0) ?? 0;
        Scale = (float)(fields.Number("scaling") ?? 1);
        Activation = ReadActivation(fields);
        Modules = new TargetConfig(fields);
        fields.Ignore("init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Width of the network.</summary>
    public int Rank { get; }

    /// <summary>How many layers it has on the way in, and how many out.</summary>
    public int Depth { get; }

    /// <summary>Factor of the change.</summary>
    public float Scale { get; }

    /// <summary>Its non-linearity.</summary>
    public Activation Activation { get; }

    /// <summary>Which modules are changed.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static PeanutConfig Read(ConfigFields fields) => new(fields);

    private static Activation ReadActivation(ConfigFields fields)
    {
        const string Field = "act_fn";
        return fields.Text(Field) switch
        {
            null or "relu" => Activation.Relu,
            "leaky_relu" => Activation.LeakyRelu,
            "silu" or "swish" => Activation.Silu,
            "gelu" or "gelu_python" => Activation.Gelu,
            "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" or "gelu_python_tanh" or "gelu_accurate" => Activation.TanhGelu,
            "tanh" => Activation.Tanh,
            "sigmoid" => Activation.Sigmoid,
            _ => throw fields.Refuse(Field, fields.Find(Field)!.Value, "relu, leaky_relu, silu, swish, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, tanh or sigmoid"),
        };
    }
}

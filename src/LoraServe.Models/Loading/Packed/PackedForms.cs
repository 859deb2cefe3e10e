using LoraServe.Compute.Tensors;
using LoraServe.Models.Config;

namespace LoraServe.Models.Loading.Packed;

/// <summary>Tells in which form a checkpoint stores its weights, by its tensors and by what its configuration says of them.</summary>
internal static class PackedForms
{
    private const string Settings = "quantization_config";
    private const string MethodField = "quant_method";
    private const string BitsField = "bits";
    private const string Known = "bitsandbytes (4 bits, or 8), gptq, awq or fp8";
    private const string Advice = "use the model's unquantised weights, or a GGUF file of it";
    private const int MostInputs = 1 << 24;

    /// <summary>The form; null where every weight is a tensor of its own.</summary>
    /// <param name="config">config.json, which gets the warnings.</param>
    /// <param name="directory">Where it lies: older GPTQ files have their settings beside it.</param>
    /// <param name="tensors">The checkpoint's.</param>
    /// <param name="linear">Name of the weight of any linear map.</param>
    /// <exception cref="ModelFormatException">It is a form that cannot be read, or its settings are wrong.</exception>
    public static IPackedForm? Of(JsonFields config, string directory, IReadOnlyDictionary<string, Tensor> tensors, string linear)
    {
        JsonFields? settings = config.Object(Settings) ?? JsonFields.TryLoad(Path.Combine(directory, "quantize_config.json"));
        string? method = settings?.String(MethodField) ?? (settings is null || config.Has(Settings) ? null : "gptq");
        bool isPlain = tensors.TryGetValue(linear, out Tensor? weight) && ElementTypes.Weights.Contains(weight.Type);
        if (tensors.Keys.Any(name => name.Contains(".quant_state.bitsandbytes__", StringComparison.Ordinal)))
        {
            return new BitsAndBytesFourBits();
        }

        if (Has(".SCB"))
        {
            return new BitsAndBytesEightBits();
        }

        if (Has(".qweight") && settings is not null)
        {
            return method switch
            {
                "gptq" => ReadGptq(settings),
                "awq" => ReadAwq(settings),
                _ => throw settings.Wrong(MethodField, $"{Known}; {Advice}"),
            };
        }

        if (tensors.Values.Any(tensor => tensor.Type is ElementType.F8_E4M3 or ElementType.F8_E5M2))
        {
            return new Fp8(settings is null ? null : ReadBlock(settings));
        }

        if (!isPlain && settings is not null)
        {
            throw settings.Wrong(MethodField, $"{Known}; {Advice}");
        }

        if (method is not null)
        {
            config.Warn(Settings, "but the weights are stored as they are. What is stored is used.");
        }

        return null;

        bool Has(string ending) => tensors.Keys.Any(name => name.EndsWith(ending, StringComparison.Ordinal));
    }

    /// <summary>Refuses a model in MLX's quantised form, of which not even the types of tensors are known here.</summary>
    /// <exception cref="ModelFormatException">It is one.</exception>
    public static void RefuseMlx(JsonFields config)
    {
        const string Field = "quantization";
        if (config.IsObject(Field) && config.Object(Field)!.Has("group_size"))
        {
            throw config.Wrong(Field, $"no such field, which is MLX's: its quantised form is not read; {Advice}");
        }
    }

    private static Gptq ReadGptq(JsonFields settings)
    {
        int bits = (int)settings.Integer(BitsField, 1, 32);
        if (bits is not (2 or 4 or 8))
        {
            throw settings.Wrong(BitsField, $"2, 4 or 8; {Advice}");
        }

        string format = settings.String("checkpoint_format") ?? "gptq";
        return format is "gptq" or "gptq_v2"
            ? new Gptq(bits, GroupSize(settings, "group_size"), format == "gptq_v2")
            : throw settings.Wrong("checkpoint_format", $"gptq or gptq_v2; {Advice}");
    }

    private static Awq ReadAwq(JsonFields settings)
    {
        string bits = settings.Has("w_bit") ? "w_bit" : BitsField;
        if (settings.Integer(bits, 1, 32) != 4)
        {
            throw settings.Wrong(bits, $"4; {Advice}");
        }

        string version = settings.String("version") ?? "gemm";
        return version.Equals("gemm", StringComparison.OrdinalIgnoreCase)
            ? new Awq(GroupSize(settings, settings.Has("q_group_size") ? "q_group_size" : "group_size"))
            : throw settings.Wrong("version", $"gemm; {Advice}");
    }

    private static int GroupSize(JsonFields settings, string field) => settings.FindInteger(field, -1, MostInputs) switch
    {
        null => 128,
        0 => throw settings.Wrong(field, "−1 for one group, or a number of inputs"),
        { } size => (int)size,
    };

    private static (long Rows, long Columns)? ReadBlock(JsonFields settings) => settings.OneOrMoreIntegers("weight_block_size", 1, MostInputs) switch
    {
        [] => null,
        [var rows, var columns] => (rows, columns),
        _ => throw settings.Wrong("weight_block_size", "outputs and inputs of a block"),
    };
}

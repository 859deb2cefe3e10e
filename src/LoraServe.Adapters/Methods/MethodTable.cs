using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.AdaLora;
using LoraServe.Adapters.Methods.AdaptionPrompt;
using LoraServe.Adapters.Methods.Beft;
using LoraServe.Adapters.Methods.BitFit;
using LoraServe.Adapters.Methods.Boft;
using LoraServe.Adapters.Methods.Bottlenecks;
using LoraServe.Adapters.Methods.C3a;
using LoraServe.Adapters.Methods.Deft;
using LoraServe.Adapters.Methods.Delora;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Adapters.Methods.FourierFt;
using LoraServe.Adapters.Methods.Full;
using LoraServe.Adapters.Methods.Glora;
using LoraServe.Adapters.Methods.Gralora;
using LoraServe.Adapters.Methods.Hira;
using LoraServe.Adapters.Methods.Hra;
using LoraServe.Adapters.Methods.Ia3;
using LoraServe.Adapters.Methods.Loha;
using LoraServe.Adapters.Methods.Lokr;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Adapters.Methods.Miss;
using LoraServe.Adapters.Methods.NormTuning;
using LoraServe.Adapters.Methods.Oft;
using LoraServe.Adapters.Methods.Peanut;
using LoraServe.Adapters.Methods.Prefix;
using LoraServe.Adapters.Methods.Prompt;
using LoraServe.Adapters.Methods.PTuning;
using LoraServe.Adapters.Methods.RandLora;
using LoraServe.Adapters.Methods.Road;
using LoraServe.Adapters.Methods.Shira;
using LoraServe.Adapters.Methods.Supertuning;
using LoraServe.Adapters.Methods.TinyLora;
using LoraServe.Adapters.Methods.TrainableTokens;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Methods.UniLora;
using LoraServe.Adapters.Methods.VbLora;
using LoraServe.Adapters.Methods.Vera;
using LoraServe.Adapters.Methods.WaveFt;
using LoraServe.Adapters.Methods.XLora;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods;

/// <summary>Every method of fine-tuning. Each is a folder beside this file and a line in it.</summary>
public static class MethodTable
{
    private static readonly Method[] s_methods =
    [
        LoraMethod.Lora,
        AdaLoraMethod.AdaLora,
        VeraMethod.Vera,
        VeraMethod.Pvera,
        DeloraMethod.Delora,
        GraloraMethod.Gralora,
        LohaMethod.Loha,
        LokrMethod.Lokr,
        VbLoraMethod.VbLora,
        UniLoraMethod.UniLora,
        TinyLoraMethod.TinyLora,
        DeftMethod.Deft,
        GloraMethod.Glora,
        PeanutMethod.Peanut,
        RandLoraMethod.RandLora,
        MissMethod.Miss,
        ShiraMethod.Shira,
        SupertuningMethod.Supertuning,
        FourierFtMethod.FourierFt,
        WaveFtMethod.WaveFt,
        C3aMethod.C3a,
        HiraMethod.Hira,
        OftMethod.Oft,
        BoftMethod.Boft,
        HraMethod.Hra,
        RoadMethod.Road,
        Ia3Method.Ia3,
        BitFitMethod.BitFit,
        BeftMethod.Beft,
        NormTuningMethod.NormTuning,
        BottleneckMethod.Bottleneck,
        PromptMethod.Prompt,
        PromptMethod.ContextPrompt,
        PromptMethod.MultitaskPrompt,
        PTuningMethod.PTuning,
        PrefixMethod.Prefix,
        PrefixMethod.Cartridge,
        AdaptionPromptMethod.AdaptionPrompt,
        TrainableTokensMethod.TrainableTokens,
        FullMethod.Full,
        XLoraMethod.XLora,
    ];

    private static readonly Dictionary<string, Method> s_byType =
        s_methods.Where(method => method.Reader is not null).ToDictionary(method => method.Type!, StringComparer.Ordinal);

    /// <summary>Those whose adapters are read.</summary>
    internal static IReadOnlyCollection<Method> Readable => s_byType.Values;

    /// <summary>What can be trained, by the names that users give.</summary>
    public static IReadOnlyList<MethodVariant> Variants { get; } = [.. s_methods.SelectMany(method => method.Variants)];

    /// <summary>The variant of a name, or of another that people write for it; null where there is none.</summary>
    public static MethodVariant? Find(string name) => Variants.FirstOrDefault(variant => variant.Name == name || variant.OtherNames.Contains(name));

    /// <summary>Makes the content of <c>adapter_config.json</c> for adapters that are written here.</summary>
    /// <param name="type">PEFT's peft_type, such as <c>LORA</c>; <c>BOTTLENECK</c> for AdapterHub's.</param>
    /// <param name="model">The base, which sets widths and numbers of layers and heads.</param>
    /// <param name="settings">Fields that are not to have their defaults. Of a bottleneck's, those of the inner object as well.</param>
    /// <exception cref="ArgumentException">The type cannot be written, or has no such field.</exception>
    public static JsonObject NewConfig(string type, IBaseModel model, JsonObject settings)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(settings);
        return s_byType.TryGetValue(type, out Method? method) && method.Train is not null
            ? method.NewConfig(model, settings)
            : throw new ArgumentException($"Adapters of type {type} cannot be written; can be: {string.Join(", ", Types(method => method.Train is not null))}.", nameof(type));
    }

    /// <summary>The reader of a method's files.</summary>
    /// <exception cref="AdapterFormatException">There is none.</exception>
    internal static DirectoryReader Reader(ConfigFields fields)
    {
        string type = PeftConfig.Type(fields);
        return s_byType.TryGetValue(type, out Method? method)
            ? method.Reader!
            : UnreadMethods.Reason(type) is { } reason ? throw new AdapterFormatException($"{fields.File}: peft_type is {type}, which is not served: {reason}.")
            : throw new AdapterFormatException($"{fields.File}: peft_type is {type}; supported are {string.Join(", ", Types(_ => true))}. Convert the adapter, or merge it into the base.");
    }

    /// <summary>An adapter at its first values, whatever method its configuration is of.</summary>
    /// <param name="config">A configuration of PEFT, whose peft_type names the method, or of AdapterHub.</param>
    /// <param name="model">The base.</param>
    /// <param name="options">What else training needs to know.</param>
    /// <exception cref="AdapterFormatException">The configuration is wrong or not supported.</exception>
    internal static TrainableAdapter Create(JsonObject config, IBaseModel model, TrainableOptions options)
    {
        string type = PeftConfig.Type(PeftConfig.Fields(config));
        return s_byType.TryGetValue(type, out Method? method) && method.Train is { } train
            ? train(config, model, options)
            : throw new AdapterFormatException($"peft_type is {type}; can be trained: {string.Join(", ", Types(other => other.Train is not null))}.");
    }

    /// <summary>The peft_types that can be trained.</summary>
    internal static IReadOnlyList<string> TrainableTypes { get; } = [.. Types(method => method.Train is not null)];

    private static IEnumerable<string> Types(Func<Method, bool> which) => s_byType.Where(entry => which(entry.Value)).Select(entry => entry.Key).Order(StringComparer.Ordinal);
}

using System.Collections.Frozen;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods;

/// <summary>The methods that can be read, by peft_type.</summary>
internal static class AdapterMethods
{
    private static readonly FrozenDictionary<string, Reader> s_readers = new Dictionary<string, Reader>
    {
        [PeftConfig.Lora] = Lora.Read,
        ["ADALORA"] = AdaLora.Read,
        ["VERA"] = Vera.Read,
        ["IA3"] = Ia3.Read,
        ["LOHA"] = Loha.Read,
        ["LOKR"] = Lokr.Read,
        ["VBLORA"] = VbLora.Read,
        ["SHIRA"] = Shira.Read,
        ["MISS"] = Miss.Read,
        ["HRA"] = Hra.Read,
        ["OFT"] = Oft.Read,
        ["BOFT"] = Boft.Read,
        ["FOURIERFT"] = FourierFt.Read,
        ["RANDLORA"] = RandLora.Read,
        ["LN_TUNING"] = NormTuning.Read,
        ["TRAINABLE_TOKENS"] = TrainableTokens.Read,
        ["PROMPT_TUNING"] = PromptTuning.ReadPrompt,
        ["CPT"] = PromptTuning.ReadContextPrompt,
        ["P_TUNING"] = PromptTuning.ReadEncodedPrompt,
        ["MULTITASK_PROMPT_TUNING"] = PromptTuning.ReadMultitaskPrompt,
        ["PREFIX_TUNING"] = PrefixTuning.Read,
        [PeftConfig.Bottleneck] = BottleneckAdapter.Read,
    }.ToFrozenDictionary();

    /// <summary>Makes edits of a configuration and the tensors that go with it.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public delegate AdapterContent Reader(ConfigFields fields, AdapterTensors tensors, IBaseModel model);

    /// <summary>The reader of a method.</summary>
    /// <exception cref="AdapterFormatException">There is none.</exception>
    public static Reader Find(ConfigFields fields)
    {
        string type = PeftConfig.Type(fields);
        return s_readers.TryGetValue(type, out Reader? reader)
            ? reader
            : throw new AdapterFormatException($"{fields.File}: peft_type is {type}; supported are {string.Join(", ", s_readers.Keys.Order(StringComparer.Ordinal))}. Convert the adapter, or merge it into the base.");
    }
}

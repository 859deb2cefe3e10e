using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>SmolLM3: Llama of which some layers do not turn queries and keys.</summary>
internal static class SmolLm3
{
    private const int DefaultInterval = 4;
    private static readonly ConfigForm s_form = new() { Architecture = "smollm3", TiesHead = true, DefaultTheta = 2e6 };

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "SmolLM3ForCausalLM",
        FromHuggingFace = ReadConfig,
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            Llama.WriteBiases(json, spec, model);
            json.WriteStartArray("no_rope_layers");
            for (int layer = 0; layer < spec.LayerCount; layer++)
            {
                json.WriteNumberValue(spec.Unrotated.Contains(layer) ? 0 : 1);
            }

            json.WriteEndArray();
            Qwen2.WriteWindows(json, spec);
        },
        FromGguf = config =>
        {
            TransformerSpec spec = config.Read(s_form);
            return spec with { Unrotated = [.. EveryNth(spec.LayerCount, DefaultInterval)] };
        },
    };

    private static TransformerSpec ReadConfig(JsonFields config)
    {
        TransformerSpec spec = HuggingFaceConfig.Read(config, s_form);
        int[] turns = config.OneOrMoreIntegers("no_rope_layers", 0, 1);
        if (turns.Length != 0 && turns.Length != spec.LayerCount)
        {
            throw config.Wrong("no_rope_layers", $"{spec.LayerCount} numbers, 1 for a layer that turns queries and keys, else 0");
        }

        int interval = (int)(config.FindInteger("no_rope_layer_interval", 1, int.MaxValue) ?? DefaultInterval);
        int[] unrotated = turns.Length == 0 ? [.. EveryNth(spec.LayerCount, interval)] : [.. Enumerable.Range(0, turns.Length).Where(layer => turns[layer] == 0)];
        int window = config.Bool("use_sliding_window", otherwise: false) ? WindowConfig.Find(config, otherwise: 0) : 0;
        return spec with
        {
            Biases = Llama.ReadBiases(config),
            Unrotated = [.. unrotated],
            Windows = WindowConfig.OfSome(config, spec.LayerCount, window, unrotated.Contains),
        };
    }

    private static IEnumerable<int> EveryNth(int layers, int interval) => Enumerable.Range(0, layers).Where(layer => (layer + 1) % interval == 0);
}

using System.Collections.Immutable;
using System.Text.Json;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Config;

/// <summary>Reads and writes which layers attend in a sliding window: by <c>layer_types</c>, or as the family does where that is missing.</summary>
internal static class WindowConfig
{
    /// <summary>The field that says how wide it is.</summary>
    public const string Window = "sliding_window";

    private const string Full = "full_attention";
    private const string Sliding = "sliding_attention";

    /// <summary>The window; another where <c>sliding_window</c> is missing or null.</summary>
    public static int Find(JsonFields config, int otherwise) => (int)(config.FindInteger(Window, 1, int.MaxValue) ?? otherwise);

    /// <summary>Some layers' window; 0 for the others.</summary>
    public static ImmutableArray<int> Where(int layers, int window, Func<int, bool> slides) => [.. Enumerable.Range(0, layers).Select(layer => slides(layer) ? window : 0)];

    /// <summary>The window of every layer alike; 0 where <c>sliding_window</c> is missing or null.</summary>
    public static ImmutableArray<int> OfAll(JsonFields config, int layers, int otherwise = 0) =>
        [.. Enumerable.Repeat(Find(config, otherwise), layers)];

    /// <summary>The window of the layers that slide.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="layers">Number of layers.</param>
    /// <param name="window">The window; 0 for none.</param>
    /// <param name="slides">Which layers slide where <c>layer_types</c> is missing.</param>
    public static ImmutableArray<int> OfSome(JsonFields config, int layers, int window, Func<int, bool> slides)
    {
        if (config.Strings("layer_types") is not { } types)
        {
            return Where(layers, window, slides);
        }

        bool known = types.Length == layers && Array.TrueForAll(types, type => type == Full || (type == Sliding && window > 0));
        return known
            ? [.. types.Select(type => type == Sliding ? window : 0)]
            : throw config.Wrong("layer_types", $"{layers} times {Full} or, where there is a window, {Sliding}");
    }

    /// <summary>Writes <c>sliding_window</c>.</summary>
    public static void Write(Utf8JsonWriter json, TransformerSpec spec)
    {
        int window = spec.Windows.Max();
        if (window > 0)
        {
            json.WriteNumber(Window, window);
        }
    }

    /// <summary>Writes <c>layer_types</c>.</summary>
    public static void WriteTypes(Utf8JsonWriter json, TransformerSpec spec)
    {
        json.WriteStartArray("layer_types");
        foreach (int width in spec.Windows)
        {
            json.WriteStringValue(width > 0 ? Sliding : Full);
        }

        json.WriteEndArray();
    }
}

using System.Text.Json;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Config;

/// <summary>Reads and writes what config.json of families with experts has in common.</summary>
internal static class ExpertsConfig
{
    private const string PerRow = "num_experts_per_tok";

    /// <summary>Reads them.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="count">What the number of experts is called.</param>
    /// <param name="width">An expert's width.</param>
    /// <param name="layers">Number of layers.</param>
    /// <param name="perRow">Experts of a row where nothing is said.</param>
    public static ExpertsSpec Read(JsonFields config, string count, int width, int layers, int perRow)
    {
        int experts = (int)config.Integer(count, 1, Math.Min(SpecLimits.Experts, SpecLimits.ExpertsOfAllLayers / layers));
        return new ExpertsSpec(experts, (int)(config.FindInteger(PerRow, 1, experts) ?? Math.Min(perRow, experts)), width);
    }

    public static void Write(Utf8JsonWriter json, ExpertsSpec experts, string count)
    {
        json.WriteNumber(count, experts.Count);
        json.WriteNumber(PerRow, experts.PerRow);
    }
}

using System.Text.Json;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Config;

/// <summary>Reads and writes what config.json of families with experts has in common.</summary>
internal static class ExpertsConfig
{
    private const string PerRow = "num_experts_per_tok";
    private const int DefaultPerRow = 2;

    public static ExpertsSpec Read(JsonFields config, string count, int width)
    {
        int experts = (int)config.Integer(count, 1, SpecLimits.Experts);
        return new ExpertsSpec(experts, (int)(config.FindInteger(PerRow, 1, experts) ?? Math.Min(DefaultPerRow, experts)), width);
    }

    public static void Write(Utf8JsonWriter json, ExpertsSpec experts, string count)
    {
        json.WriteNumber(count, experts.Count);
        json.WriteNumber(PerRow, experts.PerRow);
    }
}

using System.Globalization;
using LoraServe.Adapters;
using LoraServe.Cli.Rendering;
using LoraServe.Cli.Verbs.Ranks;
using LoraServe.Studio;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Extraction;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Adapters;

/// <summary>What an extraction found, for people and for programs.</summary>
internal static class ExtractionReport
{
    private const int MostLost = 8;

    public static void Write(IAnsiConsole console, string folder, IBaseModel model, ExtractionResult result)
    {
        console.Write(Layers(result, model.LayerCount));
        console.WriteLine("Each cell: rank, and the share of the map's change that the pair misses, in the Frobenius norm.");
        console.WriteLine($"Ranks by '{result.Plan.Policy}': {result.Plan.Reason}.");
        RankPlan plan = result.Plan;
        console.WriteLine($"{folder}: LoRA of {result.Pairs.Length} modules, rank {RankRow.Ranks(plan)}, {Terminal.Count(plan.ParameterCount)} parameters, {Terminal.Bytes(plan.AdapterBytes)}; misses {Percent(result.Quality.RelativeError)} of their change.");
        if (result.Lost.Length > 0)
        {
            console.WriteLine($"Not in the adapter, though it differs: {string.Join(", ", result.Lost.Take(MostLost).Select(lost => $"{lost.Parameter} (by {Percent(lost.RelativeChange)})"))}{(result.Lost.Length > MostLost ? $", and {result.Lost.Length - MostLost} more parameters" : "")}.");
        }
    }

    public static void WriteJson(TextWriter output, string folder, ExtractionResult result) => output.WriteJson(new
    {
        Adapter = folder,
        result.Plan.Policy,
        result.Plan.Reason,
        Parameters = result.Plan.ParameterCount,
        result.Plan.AdapterBytes,
        result.Quality.RelativeError,
        Acceptable = result.Quality.IsAcceptable,
        Modules = result.Pairs.Select(pair => new { pair.Module.Path, pair.Pair.Rank, Alpha = (double)pair.Pair.Scale * pair.Pair.Rank, pair.Quality.RelativeError, pair.Retained }),
        Lost = result.Lost.Select(lost => new { lost.Parameter, RelativeChange = double.IsFinite(lost.RelativeChange) ? lost.RelativeChange : (double?)null }),
    });

    /// <summary>A share of 1 as a percentage of two digits or so.</summary>
    public static string Percent(double share) => share switch
    {
        double.PositiveInfinity => "from zero",
        0 => "0%",
        < 1e-4 => "<0.01%",
        _ => (share * 100).ToString(share < 0.01 ? "0.00" : share < 0.1 ? "0.0" : "0", CultureInfo.InvariantCulture) + "%",
    };

    /// <summary>A row for each layer and one for the head and the table; a column for each kind of map.</summary>
    private static Table Layers(ExtractionResult result, int layers)
    {
        string[] names = [.. result.Pairs.Select(pair => pair.Module.Name).Distinct()];
        Table table = Terminal.Table([">layer", .. names.Select(name => $">{Short(name)}")]);
        ILookup<(int Layer, string Name), ExtractedPair> pairs = result.Pairs.ToLookup(pair => (pair.Module.Site.Layer, pair.Module.Name));
        foreach (int layer in Enumerable.Range(0, layers).Append(-1))
        {
            string[] cells = [.. names.Select(name => pairs[(layer, name)].FirstOrDefault() is { } pair ? $"{pair.Pair.Rank} {Percent(pair.Quality.RelativeError)}" : "")];
            if (cells.Any(cell => cell.Length > 0))
            {
                table.AddText([layer < 0 ? "" : $"{layer}", .. cells]);
            }
        }

        return table;
    }

    private static string Short(string name) => name.EndsWith("_proj", StringComparison.Ordinal) ? name[..^"_proj".Length] : name;
}

using System.Globalization;
using LoraServe.Adapters;
using LoraServe.Cli.Rendering;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Adapters;

/// <summary>Shows which modules of a base an adapter edits and how strongly.</summary>
internal static class AdapterMatch
{
    /// <summary>Most unmatched modules that are listed by name.</summary>
    private const int MostListed = 20;

    public static void Write(IAnsiConsole console, AdapterReport report)
    {
        Table table = Terminal.Table("module", ">matched", ">norm of change");
        foreach ((string module, double norm) in report.DeltaNorms)
        {
            int count = report.MatchedModules.Count(path => path[(path.LastIndexOf('.') + 1)..] == module);
            table.AddText(module, $"{count}", norm.ToString("0.####", CultureInfo.InvariantCulture));
        }

        console.Write(table);
        string rank = report.MaximumRank == 0 ? ""
            : report.MinimumRank == report.MaximumRank ? $", rank {report.MaximumRank}"
            : $", rank {report.MinimumRank} to {report.MaximumRank}";
        string rows = report.VirtualRows == 0 ? "" : $", {report.VirtualRows} rows ahead of the prompt{(report.Tasks == 1 ? "" : $" for each of {report.Tasks} tasks (name#0 to name#{report.Tasks - 1})")}";
        console.WriteLine($"{report.Method}: {report.MatchedModules.Length} modules matched{rank}{rows}, {report.UnmatchedModules.Length} unmatched.");
        foreach (string module in report.UnmatchedModules.Take(MostListed))
        {
            console.WriteLine($"  unmatched: {module}");
        }

        if (report.UnmatchedModules.Length > MostListed)
        {
            console.WriteLine($"  and {report.UnmatchedModules.Length - MostListed} more");
        }
    }
}

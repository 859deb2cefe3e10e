using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Peft;

namespace LoraServe.Training.Methods;

/// <summary>A job's settings as one of its methods reads them: what is not given is what the method usually has.</summary>
/// <param name="Method">The method.</param>
/// <param name="Options">The job.</param>
/// <param name="Context">The base, and what else is to be known.</param>
/// <param name="Overrides">Fields of the configuration that go before what the settings say; null for none.</param>
internal sealed record MethodSettings(TrainingMethod Method, TrainingJobOptions Options, TrainableContext Context, JsonObject? Overrides)
{
    private const string AllLinear = "all-linear";
    private const int UsualRank = 8;
    private const int UsualVirtualTokens = 20;

    /// <summary>The base.</summary>
    public IBaseModel Model => Context.Model;

    /// <summary>Rank of updates, or width of bottlenecks.</summary>
    public int Rank => Options.Rank ?? Method.Rank ?? UsualRank;

    /// <summary>Numerator of the update's scale.</summary>
    public double Alpha => Options.Alpha ?? 2 * Rank;

    /// <summary>Rows ahead of the prompt.</summary>
    public int VirtualTokens => Options.VirtualTokens ?? UsualVirtualTokens;

    /// <summary>Steps of the run.</summary>
    public int TotalSteps => Context.TotalSteps;

    /// <summary>Names of the modules that are adapted.</summary>
    /// <exception cref="TrainingOptionsException">The base has no such module.</exception>
    public string[] Targets()
    {
        string[] names = [.. (Options.Targets.Count > 0 ? Options.Targets : Method.Targets).SelectMany(Expand).Distinct(StringComparer.Ordinal)];
        return Known(names, Model.Modules.Select(module => module.Path));
    }

    /// <summary>Names of the norms that are adapted: all, unless targets are given.</summary>
    /// <inheritdoc cref="Targets"/>
    public string[] TargetNorms()
    {
        IEnumerable<string> all = Model.Norms.Select(norm => norm.Path[(norm.Path.LastIndexOf('.') + 1)..]).Distinct(StringComparer.Ordinal);
        return Known([.. Options.Targets.Count > 0 ? Options.Targets : all], Model.Norms.Select(norm => norm.Path));
    }

    /// <summary>A list as JSON.</summary>
    public static JsonArray List(IEnumerable<string> names) => [.. names.Select(name => (JsonNode)name)];

    private static string[] Known(string[] names, IEnumerable<string> paths)
    {
        string[] unknown = [.. names.Where(name => !paths.Any(path => ModuleFilter.HasName(path, name)))];
        return unknown.Length == 0
            ? names
            : throw new TrainingOptionsException(
                $"targets has {string.Join(", ", unknown)}, which the base has not; it has {string.Join(", ", paths.Select(path => path[(path.LastIndexOf('.') + 1)..]).Distinct())}.");
    }

    private IEnumerable<string> Expand(string target) => target == AllLinear
        ? Model.Modules.Where(module => module.Site.Layer >= 0).Select(module => module.Name)
        : [target];
}

using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Description;

/// <summary>Settings as one variant reads them: what is not given is what it usually has.</summary>
/// <param name="variant">The variant.</param>
/// <param name="given">What is given.</param>
internal sealed class VariantSettings(MethodVariant variant, MethodSettings given)
{
    private const int UsualRank = 8;
    private const int UsualVirtualTokens = 20;

    /// <summary>What is given.</summary>
    public MethodSettings Given => given;

    /// <summary>The base.</summary>
    public IBaseModel Model => given.Model;

    /// <summary>Rank of updates, or width of bottlenecks.</summary>
    public int Rank => given.Rank ?? variant.Rank ?? UsualRank;

    /// <summary>Numerator of the update's scale.</summary>
    public double Alpha => given.Alpha ?? 2 * Rank;

    /// <summary>Rows ahead of the prompt.</summary>
    public int VirtualTokens => given.VirtualTokens ?? UsualVirtualTokens;

    /// <summary>Names of the modules that are adapted.</summary>
    /// <exception cref="AdapterFormatException">The base has no such module.</exception>
    public string[] Targets()
    {
        string[] names = [.. (given.Targets.Count > 0 ? given.Targets : variant.Targets.SelectMany(Usual)).SelectMany(Expand).Distinct(StringComparer.Ordinal)];
        return Known(names, Model.Modules.Select(module => module.Path));
    }

    /// <summary>The same as JSON.</summary>
    /// <inheritdoc cref="Targets"/>
    public JsonArray TargetList() => List(Targets());

    /// <summary>The modules that are adapted.</summary>
    /// <inheritdoc cref="Targets"/>
    public IEnumerable<BaseModule> TargetedModules()
    {
        string[] targets = Targets();
        return Model.Modules.Where(module => targets.Any(name => ModuleFilter.HasName(module.Path, name)));
    }

    /// <summary>Names of the norms that are adapted: all, unless targets are given.</summary>
    /// <inheritdoc cref="Targets"/>
    public string[] TargetNorms()
    {
        IEnumerable<string> all = Model.Norms.Select(norm => norm.Path[(norm.Path.LastIndexOf('.') + 1)..]).Distinct(StringComparer.Ordinal);
        return Known([.. given.Targets.Count > 0 ? given.Targets : all], Model.Norms.Select(norm => norm.Path));
    }

    /// <summary>The configuration of one of PEFT's methods.</summary>
    /// <param name="own">Its fields as far as they are not the defaults.</param>
    /// <exception cref="AdapterFormatException">A field that was given is none of the method's.</exception>
    public JsonObject Config(JsonObject own)
    {
        own["base_model_name_or_path"] = given.BaseName;
        return ConfigWithoutBase(own);
    }

    /// <summary>A configuration that names the base in a field of its own.</summary>
    /// <inheritdoc cref="Config"/>
    public JsonObject ConfigWithoutBase(JsonObject own)
    {
        foreach ((string name, JsonNode? value) in given.Fields ?? [])
        {
            own[name] = value?.DeepClone();
        }

        try
        {
            return variant.Method.NewConfig(Model, own);
        }
        catch (ArgumentException unknown)
        {
            throw new AdapterFormatException($"the adapter's configuration: {unknown.Message}", unknown);
        }
    }

    /// <summary>A list as JSON.</summary>
    public static JsonArray List(IEnumerable<string> names) => [.. names.Select(name => (JsonNode)name)];

    private static string[] Known(string[] names, IEnumerable<string> paths)
    {
        string[] unknown = [.. names.Where(name => !paths.Any(path => ModuleFilter.HasName(path, name)))];
        return unknown.Length == 0
            ? names
            : throw new AdapterFormatException(
                $"targets has {string.Join(", ", unknown)}, which the base has not; it has {string.Join(", ", paths.Select(path => path[(path.LastIndexOf('.') + 1)..]).Distinct())}.");
    }

    /// <summary>What the base calls a usual target, which is said as Llama calls it.</summary>
    private IEnumerable<string> Usual(string name)
    {
        SiteRole[] roles = name switch
        {
            "q_proj" => [SiteRole.Query, SiteRole.QueryKeyValue],
            "k_proj" => [SiteRole.Key, SiteRole.QueryKeyValue],
            "v_proj" => [SiteRole.Value, SiteRole.QueryKeyValue],
            "down_proj" => [SiteRole.Down, SiteRole.ExpertDown],
            _ => [],
        };
        return roles.Length == 0 ? [name] : Model.Modules.Where(module => roles.Contains(module.Site.Role)).Select(module => module.Name);
    }

    private IEnumerable<string> Expand(string target) => target == ModuleFilter.AllLinear
        ? Model.Modules.Where(module => module.Site.Layer >= 0).Select(module => module.Name)
        : [target];
}

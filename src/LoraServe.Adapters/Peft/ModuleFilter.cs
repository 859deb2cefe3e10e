using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Peft;

/// <summary>Which modules of the base a configuration targets (PEFT's <c>check_target_module_exists</c>).</summary>
public sealed class ModuleFilter
{
    /// <summary>PEFT's name for every linear map of the layers.</summary>
    public const string AllLinear = "all-linear";

    private readonly string[] _names = [];
    private readonly string[] _excludedNames = [];
    private readonly ModulePattern? _pattern;
    private readonly ModulePattern? _excludedPattern;
    private readonly ModulePattern[] _layerPatterns = [];
    private readonly int[]? _layers;
    private readonly bool _allLinear;

    /// <summary>Targets modules by their names.</summary>
    /// <param name="names">Last parts of paths, such as <c>q_proj</c>, or whole paths; <see cref="AllLinear"/> among them for every linear map of the layers.</param>
    public ModuleFilter(IEnumerable<string> names)
    {
        _names = [.. names];
        if (_names.Contains(AllLinear))
        {
            (_names, _allLinear) = ([], true);
        }
    }

    /// <summary>Reads target_modules, exclude_modules, layers_to_transform and layers_pattern.</summary>
    internal ModuleFilter(ConfigFields fields)
    {
        switch (fields.Find("target_modules"))
        {
            case null:
                break;
            case { ValueKind: System.Text.Json.JsonValueKind.String } text when text.GetString() == AllLinear:
                _allLinear = true;
                break;
            case { ValueKind: System.Text.Json.JsonValueKind.String } text:
                _pattern = ModulePattern.Whole(fields.File, text.GetString()!);
                break;
            default:
                _names = fields.Texts("target_modules")!;
                break;
        }

        if (fields.Find("exclude_modules") is { ValueKind: System.Text.Json.JsonValueKind.String } excluded)
        {
            _excludedPattern = ModulePattern.Whole(fields.File, excluded.GetString()!);
        }
        else
        {
            _excludedNames = fields.Texts("exclude_modules") ?? [];
        }

        int[]? layers = fields.Integers("layers_to_transform");
        _layers = layers is { Length: > 0 } ? layers : null;
        string[] patterns = [.. (fields.Texts("layers_pattern") ?? []).Where(pattern => pattern.Length > 0)];
        _layerPatterns = [.. (patterns.Length > 0 ? patterns : ["[^.]*"]).Select(pattern => ModulePattern.LayerNumber(fields.File, pattern))];
    }

    /// <summary>Whether a path is the name or ends with it, from the start of a part.</summary>
    internal static bool HasName(string path, string name) =>
        path.EndsWith(name, StringComparison.Ordinal) && (path.Length == name.Length || path[path.Length - name.Length - 1] == '.');

    /// <summary>The names that none of the paths has.</summary>
    /// <param name="paths">Paths of all modules.</param>
    public IEnumerable<string> Unmatched(IEnumerable<string> paths) =>
        _names.Where(name => !paths.Any(path => HasName(path, name)));

    /// <summary>Whether the module is targeted.</summary>
    public bool Targets(BaseModule module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return _allLinear
            ? !module.Site.IsTable && module.Site.Role != SiteRole.Head && !IsExcluded(module.Path)
            : Targets(module.Path);
    }

    /// <summary>Whether the configuration targets the path, of a module of any kind.</summary>
    internal bool Targets(string path)
    {
        if (IsExcluded(path))
        {
            return false;
        }

        if (_pattern is not null)
        {
            return _pattern.IsMatch(path);
        }

        // A whole path is targeted whatever layers_to_transform says: so does PEFT.
        return _names.Contains(path) || (_names.Any(name => HasName(path, name)) && IsInLayers(path));
    }

    /// <summary>What the configuration targets, in words.</summary>
    internal string Describe() => _allLinear ? AllLinear : _pattern is not null ? "a pattern" : _names.Length == 0 ? "nothing" : string.Join(", ", _names.Take(8));

    private bool IsExcluded(string path) =>
        _excludedNames.Any(name => HasName(path, name)) || _excludedPattern?.IsMatch(path) == true;

    private bool IsInLayers(string path) =>
        _layers is null || (_layerPatterns.Select(pattern => pattern.Layer(path)).FirstOrDefault(layer => layer is not null) is { } layer && _layers.Contains(layer));
}

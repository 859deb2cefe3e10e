namespace LoraServe.Adapters.Edits;

/// <summary>All linear maps and norms of a model, in order, and the number of each: what indexes arrays that have one element for each.</summary>
public sealed class SiteTable
{
    private readonly Site[] _linears;
    private readonly int[][] _placesOfRoles;
    private readonly int[] _firstOfLayers;
    private readonly int _layerNormCount;
    private readonly NormRole[] _layerNorms;
    private readonly int[] _placeOfNorm;
    private readonly int _expertRoleCount;

    /// <summary>Numbers a model's sites.</summary>
    /// <param name="layers">The linear maps of each layer; layers of one kind share a list. A role of experts stands for as many maps as there are experts.</param>
    /// <param name="expertCount">Experts of a layer that has them.</param>
    /// <param name="layerNorms">The norms of each layer.</param>
    public SiteTable(IReadOnlyList<IReadOnlyList<SiteRole>> layers, int expertCount, IReadOnlyList<NormRole> layerNorms)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(layerNorms);
        _layerNorms = [.. layerNorms];
        _layerNormCount = layers.Count * _layerNorms.Length;
        _placeOfNorm = [.. Enum.GetValues<NormRole>().Select(role => Array.IndexOf(_layerNorms, role))];
        _firstOfLayers = new int[layers.Count];
        _placesOfRoles = new int[layers.Count][];
        _expertRoleCount = layers.Select(roles => roles.Count(IsOfExperts)).DefaultIfEmpty().Max();
        List<Site> linears = [];
        for (int layer = 0; layer < layers.Count; layer++)
        {
            IReadOnlyList<SiteRole> roles = layers[layer];
            _firstOfLayers[layer] = linears.Count;
            _placesOfRoles[layer] = layer > 0 && ReferenceEquals(roles, layers[layer - 1]) ? _placesOfRoles[layer - 1] : Places(roles);
            linears.AddRange(roles.Where(role => !IsOfExperts(role)).Select(role => new Site(layer, role)));
            for (int expert = 0; expert < expertCount; expert++)
            {
                linears.AddRange(roles.Where(IsOfExperts).Select(role => new Site(layer, role, expert)));
            }
        }

        _linears = [.. linears, Site.Head];
    }

    /// <summary>Number of linear maps, the head included.</summary>
    public int LinearCount => _linears.Length;

    /// <summary>Number of norms, that before the head included.</summary>
    public int NormCount => _layerNormCount + 1;

    /// <summary>The linear maps, layer by layer; the head last.</summary>
    public IReadOnlyList<Site> Linears => _linears;

    /// <summary>The norms, layer by layer; that before the head last.</summary>
    public IEnumerable<NormSite> Norms =>
        Enumerable.Range(0, _layerNormCount).Select(index => new NormSite(index / _layerNorms.Length, _layerNorms[index % _layerNorms.Length])).Append(NormSite.Final);

    /// <summary>Number of a linear map that the model has.</summary>
    /// <param name="site">Not a table.</param>
    public int Index(Site site) => site.Role == SiteRole.Head
        ? _linears.Length - 1
        : _firstOfLayers[site.Layer] + _placesOfRoles[site.Layer][(int)site.Role] + (Math.Max(site.Expert, 0) * _expertRoleCount);

    /// <summary>Number of a norm that the model has.</summary>
    public int Index(NormSite site) => site.Role == NormRole.Final ? _layerNormCount : (site.Layer * _layerNorms.Length) + _placeOfNorm[(int)site.Role];

    private static bool IsOfExperts(SiteRole role) => role is SiteRole.ExpertGate or SiteRole.ExpertUp or SiteRole.ExpertDown;

    /// <summary>What each role adds to a layer's first number: maps of no expert come first.</summary>
    private static int[] Places(IReadOnlyList<SiteRole> roles)
    {
        SiteRole[] ordered = [.. roles.Where(role => !IsOfExperts(role)), .. roles.Where(IsOfExperts)];
        return [.. Enum.GetValues<SiteRole>().Select(role => Array.IndexOf(ordered, role))];
    }
}

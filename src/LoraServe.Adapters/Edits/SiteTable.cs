namespace LoraServe.Adapters.Edits;

/// <summary>All linear maps and norms of a model, in order, and the number of each: what indexes arrays that have one element for each.</summary>
/// <param name="layerCount">Number of layers.</param>
/// <param name="layerNorms">The norms of each layer.</param>
public sealed class SiteTable(int layerCount, IReadOnlyList<NormRole> layerNorms)
{
    private const int RolesPerLayer = (int)SiteRole.Down + 1;
    private readonly int[] _placeOfNorm = [.. Enum.GetValues<NormRole>().Select(role => layerNorms.ToList().IndexOf(role))];

    /// <summary>Number of linear maps, the head included.</summary>
    public int LinearCount => (layerCount * RolesPerLayer) + 1;

    /// <summary>Number of norms, that before the head included.</summary>
    public int NormCount => (layerCount * layerNorms.Count) + 1;

    /// <summary>The linear maps, layer by layer; the head last.</summary>
    public IEnumerable<Site> Linears =>
        Enumerable.Range(0, LinearCount - 1).Select(index => new Site(index / RolesPerLayer, (SiteRole)(index % RolesPerLayer))).Append(Site.Head);

    /// <summary>The norms, layer by layer; that before the head last.</summary>
    public IEnumerable<NormSite> Norms =>
        Enumerable.Range(0, NormCount - 1).Select(index => new NormSite(index / layerNorms.Count, layerNorms[index % layerNorms.Count])).Append(NormSite.Final);

    /// <summary>Number of a linear map.</summary>
    /// <param name="site">Not the token table.</param>
    public int Index(Site site) => site.Role == SiteRole.Head ? LinearCount - 1 : (site.Layer * RolesPerLayer) + (int)site.Role;

    /// <summary>Number of a norm that the model has.</summary>
    public int Index(NormSite site) => site.Role == NormRole.Final ? NormCount - 1 : (site.Layer * layerNorms.Count) + _placeOfNorm[(int)site.Role];
}

namespace LoraServe.Adapters.Peft;

/// <summary>Ranks and the numerators of scales, which may differ from module to module: r, alpha, rank_pattern and alpha_pattern.</summary>
/// <param name="fields">The configuration.</param>
/// <param name="alphaField">What it calls the numerator.</param>
internal sealed class RankPatterns(ConfigFields fields, string alphaField)
{
    private readonly ModulePatternMap<int> _rankPattern = new(fields, "rank_pattern", (name, value) => fields.Integer(name, value, 1));
    private readonly ModulePatternMap<double> _alphaPattern = new(fields, "alpha_pattern", fields.Number);
    private readonly int _rank = fields.Integer("r", 1) ?? 8;
    private readonly double _alpha = fields.Number(alphaField) ?? 8;

    /// <summary>A module's rank.</summary>
    public int Rank(string path) => _rankPattern.Find(path) ?? _rank;

    /// <summary>Numerator of a module's scale.</summary>
    public double Alpha(string path) => _alphaPattern.Find(path) ?? _alpha;

    /// <summary>alpha / r.</summary>
    public float Scale(string path) => (float)(Alpha(path) / Rank(path));
}

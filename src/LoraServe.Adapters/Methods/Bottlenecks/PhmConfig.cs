using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Bottlenecks;

/// <summary>How AdapterHub's Compacter stores projections: as sums of Kronecker products.</summary>
/// <param name="Terms">Number of products, which is also the side of each rule.</param>
/// <param name="Rank">Rank of the factors' product; null: it is stored whole.</param>
/// <param name="SharesRule">Whether all projections have the same rules.</param>
internal sealed record PhmConfig(int Terms, int? Rank, bool SharesRule)
{
    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static PhmConfig Read(ConfigFields fields)
    {
        fields.RequireUnset("shared_W_phm", "only the rules may be shared");
        fields.RequireUnset("factorized_phm_rule", "rules are read whole");
        if (!fields.Flag("phm_bias", true))
        {
            throw new AdapterFormatException($"{fields.File}: field 'phm_bias' is false; expected true.");
        }

        return new PhmConfig(
            fields.Integer("phm_dim", 1) ?? 4,
            fields.Flag("factorized_phm_W", true) ? fields.Integer("phm_rank", 1) ?? 1 : null,
            fields.Flag("shared_phm_rule", true));
    }
}

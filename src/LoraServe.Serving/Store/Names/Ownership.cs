using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Store.Names;

/// <summary>Who may do what with what belongs to whom.</summary>
/// <remarks>
/// Administrators may use and change everything. A tenant uses its own and what has no owner: the operator's, to which belongs all that is
/// found below the adapter root. It changes only its own.
/// </remarks>
internal static class Ownership
{
    /// <summary>Whether it may use and see what has this owner.</summary>
    public static bool CanUse(this Principal who, string owner) => who.IsAdmin || owner.Length == 0 || owner == who.Tenant;

    /// <summary>Whether it may change what has this owner.</summary>
    public static bool CanChange(this Principal who, string owner) => who.IsAdmin || (owner.Length > 0 && owner == who.Tenant);

    /// <summary>Refuses to change what belongs to somebody else, whom the refusal does not name.</summary>
    /// <param name="who">Who would change it.</param>
    /// <param name="what">What it would change, as a sentence begins with it.</param>
    /// <param name="owner">Whose it is.</param>
    /// <exception cref="EngineException"><see cref="EngineError.PermissionDenied"/>.</exception>
    public static void RequireChange(this Principal who, string what, string owner)
    {
        if (!who.CanChange(owner))
        {
            throw new EngineException(EngineError.PermissionDenied, $"{what} is not tenant '{who.Tenant}''s. Choose another name, or use an administrator's key.");
        }
    }
}

using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Methods.Reading;

/// <summary>An edit that is of no module, and what a report says of it.</summary>
/// <param name="Edit">The edit.</param>
/// <param name="Place">Where it acts, as a path that ends with the kind.</param>
/// <param name="Kind">What its norms are reported under.</param>
/// <param name="Norm">Frobenius norm of what it brings in.</param>
/// <param name="HasEffect">Whether it changes anything.</param>
internal sealed record PlacedEdit(AdapterEdit Edit, string Place, string Kind, double Norm, bool HasEffect = true);

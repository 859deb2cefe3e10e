namespace LoraServe.Adapters.Edits;

/// <summary>An edit of a linear map, the head or the token table.</summary>
/// <param name="Site">Which of them.</param>
public abstract record ModuleEdit(Site Site) : AdapterEdit;

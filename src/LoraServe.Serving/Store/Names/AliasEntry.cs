using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store.Names;

/// <summary>An alias: whose it is and what it means. It stays its owner's when what it pointed to is taken out of service, until it is removed.</summary>
/// <param name="Owner">The tenant; empty: the operator.</param>
/// <param name="Target">The version; null where that has gone.</param>
internal sealed record AliasEntry(string Owner, AdapterVersion? Target);

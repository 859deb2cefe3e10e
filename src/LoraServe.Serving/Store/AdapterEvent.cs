using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store;

/// <summary>Something that happened to an adapter version.</summary>
/// <param name="Type">What.</param>
/// <param name="Name">The adapter's or alias's name.</param>
/// <param name="Adapter">The version afterwards; null where none is concerned, as when an alias is removed.</param>
/// <param name="At">When.</param>
/// <param name="Detail">Why a load failed, or what an alias points to (empty: nowhere now); else empty.</param>
/// <param name="Owner">Whose it is. Tenants are told of what is theirs and of what has no owner.</param>
public sealed record AdapterEvent(AdapterEventType Type, string Name, AdapterRecord? Adapter, DateTimeOffset At, string Detail = "", string Owner = "");

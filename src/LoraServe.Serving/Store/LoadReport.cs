using LoraServe.Adapters;

namespace LoraServe.Serving.Store;

/// <summary>What publishing an adapter found.</summary>
/// <param name="Adapter">Modules, ranks and norms.</param>
/// <param name="ResidentBytes">Bytes in compute form.</param>
/// <param name="ProbeLogitChange">Largest change of any logit on a fixed prompt, against the base model.</param>
/// <param name="LoadSeconds">Seconds to read, check, convert and probe it.</param>
public sealed record LoadReport(AdapterReport Adapter, long ResidentBytes, double ProbeLogitChange, double LoadSeconds);

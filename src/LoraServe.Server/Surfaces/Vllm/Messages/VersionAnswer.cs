namespace LoraServe.Server.Surfaces.Vllm.Messages;

/// <summary>Which server it is.</summary>
internal sealed record VersionAnswer(string Version);

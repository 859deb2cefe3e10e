namespace LoraServe.Server.Surfaces.Vllm.Messages;

/// <summary>Asks to serve an adapter from the server's files.</summary>
internal sealed record LoadLoraRequest
{
    public string? LoraName { get; init; }

    /// <summary>Relative to the adapter root.</summary>
    public string? LoraPath { get; init; }

    /// <summary>Whether a name that is served already gets another version; refused where not.</summary>
    public bool? LoadInplace { get; init; }

    /// <summary>Beyond vLLM: the latest version that there must be; 0 for none.</summary>
    public int? ExpectedVersion { get; init; }
}

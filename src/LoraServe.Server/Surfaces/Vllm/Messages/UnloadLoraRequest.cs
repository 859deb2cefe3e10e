namespace LoraServe.Server.Surfaces.Vllm.Messages;

/// <summary>Asks to take an adapter out of service.</summary>
internal sealed record UnloadLoraRequest
{
    public string? LoraName { get; init; }

    /// <summary>Taken and not used: names say which.</summary>
    public int? LoraIntId { get; init; }
}

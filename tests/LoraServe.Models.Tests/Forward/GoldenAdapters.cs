using LoraServe.Adapters;
using LoraServe.Adapters.Resident;

namespace LoraServe.Models.Tests.Forward;

/// <summary>Loads reference adapters, of whatever method.</summary>
internal static class GoldenAdapters
{
    /// <summary>Loads an adapter; skips the calling test where its method is not supported.</summary>
    public static ResidentAdapter Load(string folder, Transformer model)
    {
        ResidentAdapter? adapter = TryLoad(folder, model, out string? reason);
        Skip.If(adapter is null, reason);
        return adapter!;
    }

    /// <summary>Loads an adapter; null and a reason where its method is not supported. Whatever else is refused fails the test.</summary>
    public static ResidentAdapter? TryLoad(string folder, Transformer model, out string? reason)
    {
        if (!File.Exists(Path.Combine(folder, "adapter_model.safetensors")))
        {
            reason = $"{folder} is not in PEFT's format.";
            return null;
        }

        try
        {
            reason = null;
            return ResidentAdapter.Create(AdapterLoader.Load(folder, model), model);
        }
        catch (AdapterFormatException refusal) when (refusal.Message.Contains("supported", StringComparison.Ordinal))
        {
            reason = refusal.Message;
            return null;
        }
    }
}

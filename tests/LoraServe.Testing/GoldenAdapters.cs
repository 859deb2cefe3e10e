using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Models;
using LoraServe.Models.Forward;
using Xunit;

namespace LoraServe.Testing;

/// <summary>Loads reference adapters, of whatever method.</summary>
public static class GoldenAdapters
{
    /// <summary>Loads an adapter; skips the calling test where its method is not supported.</summary>
    public static ResidentAdapter Load(string folder, Transformer model)
    {
        ResidentAdapter? adapter = TryLoad(folder, model, out string? reason);
        Skip.If(adapter is null, reason);
        return adapter!;
    }

    /// <summary>Loads an adapter of several tasks for one of them: a directory is of one task, its configuration says which.</summary>
    public static ResidentAdapter LoadTask(string folder, int task, Transformer model)
    {
        using TemporaryDirectory copy = TemporaryDirectory.CopyOf(folder);
        string config = copy.File("adapter_config.json");
        JsonNode fields = JsonNode.Parse(File.ReadAllText(config))!;
        fields["task_id"] = task;
        File.WriteAllText(config, fields.ToJsonString());
        return Load(copy.Path, model);
    }

    /// <summary>Loads an adapter; null and a reason where its method is not supported. Whatever else is refused fails the test.</summary>
    public static ResidentAdapter? TryLoad(string folder, Transformer model, out string? reason)
    {
        try
        {
            reason = null;
            return model.Place(AdapterLoader.Load(folder, model));
        }
        catch (AdapterFormatException refusal) when (refusal.Message.Contains("supported", StringComparison.Ordinal))
        {
            reason = refusal.Message;
            return null;
        }
    }
}

using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.Vllm.Messages;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Versions;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces.Vllm.Adapters;

/// <summary><c>POST /v1/load_lora_adapter</c> and <c>/v1/unload_lora_adapter</c>, as gateways and trainers call them.</summary>
internal sealed class LoraEndpoints(ServedModel served)
{
    /// <summary>Publishes files below the adapter root; an administrator's to do, as it is over gRPC.</summary>
    public async Task LoadAsync(HttpContext context)
    {
        LoadLoraRequest message = await JsonBody.ReadAsync(context, VllmJson.Instance.LoadLoraRequest).ConfigureAwait(false);
        string name = Required(message.LoraName, "lora_name");
        string path = Required(message.LoraPath, "lora_path");
        var options = new PublishOptions { ExpectedVersion = Expected(message) };
        try
        {
            await served.Engine.Adapters.PublishBelowRootAsync(CallContext.CallerOf(context), name, path, options, context.RequestAborted).ConfigureAwait(false);
        }
        catch (EngineException exists) when (exists.Error == EngineError.AdapterExists && message.ExpectedVersion is null)
        {
            throw JsonMessage.Refusal(
                $"The lora adapter '{name}' has already been loaded. If you want to load the adapter in place, set 'load_inplace' to True.", "lora_name");
        }

        await context.Response.WriteAsync($"Success: LoRA adapter '{name}' added successfully.", context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Takes all versions of a name out of service; requests that run on them finish.</summary>
    public async Task UnloadAsync(HttpContext context)
    {
        UnloadLoraRequest message = await JsonBody.ReadAsync(context, VllmJson.Instance.UnloadLoraRequest).ConfigureAwait(false);
        string name = Required(message.LoraName, "lora_name");
        served.Engine.Adapters.Unload(CallContext.CallerOf(context), name);
        await context.Response.WriteAsync($"Success: LoRA adapter '{name}' removed successfully.", context.RequestAborted).ConfigureAwait(false);
    }

    // A name that is new unless something else is said, as vLLM has it.
    private static int? Expected(LoadLoraRequest message) => message switch
    {
        { ExpectedVersion: < 0 } => throw JsonMessage.Refusal($"expected_version is {message.ExpectedVersion}; it can be 0, for none, or a version's number.", "expected_version"),
        { ExpectedVersion: { } latest } => latest,
        _ => message.LoadInplace ?? false ? null : 0,
    };

    private static string Required(string? value, string field) => string.IsNullOrEmpty(value) ? throw FieldReading.Missing(field) : value;
}

using System.Text.Json.Nodes;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Testing;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.RealModel;

/// <summary>The shared model and the adapters that PEFT trained on it, with the answers that it recorded.</summary>
internal static class RealAdapters
{
    /// <summary>Names of the adapters that are LoRA or DoRA and have recorded prompts.</summary>
    public static string[] Names { get; } =
    [
        .. SharedFiles.FolderNames("adapters").Where(name =>
            SharedFiles.TryGet($"adapters/{name}/adapter_config.json") is { } config
            && SharedFiles.TryGet($"adapters/{name}/expected.json") is not null
            && JsonNode.Parse(File.ReadAllText(config))!["peft_type"]!.ToString() == "LORA"),
    ];

    /// <summary>Serves the model with all of the adapters; skips the calling test where they are missing.</summary>
    public static async Task<TestServer> ServeAsync(Arithmetic arithmetic)
    {
        string models = SharedFiles.Require("models");
        Skip.If(Names.Length == 0, "shared/adapters is not here (set LORASERVE_SHARED to the shared folder).");
        TestServer server = await TestServer.StartAsync(Directory.GetFiles(models, "*.gguf").Order(StringComparer.Ordinal).First(), arithmetic, options =>
        {
            options.KvCacheBytes = 512 << 20;
            options.KvCacheType = arithmetic == Arithmetic.Exact ? ElementType.F32 : ElementType.F16;
            options.PrefixCache = false; // every answer is computed, none remembered
        });
        foreach (string name in Names)
        {
            await server.Engine.Adapters.PublishAsync(LoraServe.Serving.Requests.Principal.Operator, name, SharedFiles.Require($"adapters/{name}"));
        }

        return server;
    }

    /// <summary>The recorded prompts of an adapter, the shortest first.</summary>
    public static IEnumerable<JsonNode> Prompts(string name) =>
        JsonNode.Parse(File.ReadAllText(SharedFiles.Require($"adapters/{name}/expected.json")))!["greedy"]!["prompts"]!.AsArray().Select(prompt => prompt!)
            .OrderBy(prompt => prompt["input_ids"]!.AsArray().Count);

    /// <summary>Asks for the answer to a recorded prompt.</summary>
    public static GenerateRequest Request(string adapter, JsonNode prompt, int tokens)
    {
        var request = new GenerateRequest
        {
            Adapter = adapter,
            Sampling = new SamplingOptions { MaxTokens = (uint)tokens, IgnoreEos = true, Logprobs = 8 },
        };
        request.PromptTokenIds.AddRange(prompt["input_ids"]!.AsArray().Select(id => (uint)id!));
        return request;
    }
}

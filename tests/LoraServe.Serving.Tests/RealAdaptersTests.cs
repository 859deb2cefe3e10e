using System.Text.Json;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Testing;
using Xunit.Abstractions;

namespace LoraServe.Serving.Tests;

/// <summary>Real adapters of a real model, all in one batch, against the reference library's greedy answers and against themselves alone.</summary>
public class RealAdaptersTests(ITestOutputHelper output)
{
    private const int PromptsPerAdapter = 1;
    private const double UncertainMargin = 1e-3;

    [SkippableFact]
    public async Task GenerateAsync_AllAdaptersAndTheBaseTogether_EqualsTheReferenceAndEachAlone()
    {
        string adapters = SharedFiles.Require("adapters");
        string models = SharedFiles.Require("models");
        string model = Directory.GetFiles(models, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault() ?? "";
        Skip.If(model.Length == 0, "shared/models has no GGUF file.");
        using LoadedModel loaded = ModelLoader.Load(model, new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        await using var engine = new InferenceEngine(loaded, new EngineOptions { KvCacheType = ElementType.F32, KvCacheBytes = 256L << 20 });
        List<(GenerationRequest Request, int[] Ids, double[] Margins)> cases = [];
        foreach (string name in SharedFiles.FolderNames("adapters"))
        {
            string folder = Path.Combine(adapters, name);
            if (await TryPublishAsync(engine, name, folder))
            {
                cases.AddRange(Cases(name, Path.Combine(folder, "expected.json")));
            }
        }

        Skip.If(cases.Count == 0, "shared/adapters has no LoRA adapter with expected answers.");
        long begun = TimeProvider.System.GetTimestamp();
        GeneratedToken[][] together = await Task.WhenAll(cases.Select(one => RunAsync(engine, one.Request)));
        double seconds = TimeProvider.System.GetElapsedTime(begun).TotalSeconds;
        output.WriteLine($"{cases.Count} requests on {engine.Adapters.List().Count} adapters and the base: {together.Sum(tokens => tokens.Length) / seconds:0} tokens/s");
        for (int i = 0; i < cases.Count; i++)
        {
            int certain = Array.FindIndex(cases[i].Margins, margin => margin < UncertainMargin) is var first && first < 0 ? cases[i].Ids.Length : first;
            Assert.Equal(cases[i].Ids[..certain], together[i][..certain].Select(token => token.TokenId));
        }

        for (int i = 0; i < cases.Count; i += 3)
        {
            GeneratedToken[] alone = await RunAsync(engine, cases[i].Request);
            Assert.Equal(alone.Select(token => (token.TokenId, token.LogProbability)), together[i].Select(token => (token.TokenId, token.LogProbability)));
        }
    }

    private static async Task<bool> TryPublishAsync(InferenceEngine engine, string name, string folder)
    {
        string config = Path.Combine(folder, "adapter_config.json");
        if (!File.Exists(config) || !File.Exists(Path.Combine(folder, "expected.json")))
        {
            return false;
        }

        using JsonDocument parsed = JsonDocument.Parse(File.ReadAllBytes(config));
        if (parsed.RootElement.GetProperty("peft_type").GetString() != "LORA")
        {
            return false;
        }

        await engine.Adapters.PublishAsync(name, folder);
        return true;
    }

    private static IEnumerable<(GenerationRequest, int[], double[])> Cases(string name, string expected)
    {
        using JsonDocument parsed = JsonDocument.Parse(File.ReadAllBytes(expected));
        foreach (JsonElement prompt in parsed.RootElement.GetProperty("greedy").GetProperty("prompts").EnumerateArray().Take(PromptsPerAdapter))
        {
            foreach ((string key, string adapter) in new[] { ("with_adapter", name), ("without_adapter", "") })
            {
                int[] ids = [.. prompt.GetProperty(key).GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
                double[] margins = [.. prompt.GetProperty(key).GetProperty("top1_minus_top2").EnumerateArray().Select(margin => margin.GetDouble())];
                yield return (new GenerationRequest
                {
                    PromptTokens = [.. prompt.GetProperty("input_ids").EnumerateArray().Select(id => id.GetInt32())],
                    Adapters = AdapterReference.ParseStack(adapter),
                    Sampling = new SamplingOptions { MaxTokens = ids.Length, IgnoreEndToken = true, LogProbabilities = 0 },
                }, ids, margins);
            }
        }
    }

    private static async Task<GeneratedToken[]> RunAsync(InferenceEngine engine, GenerationRequest request)
    {
        List<GeneratedToken> tokens = [];
        await foreach (GeneratedToken token in await engine.GenerateAsync(request))
        {
            tokens.Add(token);
        }

        return [.. tokens];
    }
}

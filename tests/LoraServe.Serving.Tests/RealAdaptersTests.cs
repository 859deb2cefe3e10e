using System.Text.Json;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Testing;
using Xunit.Abstractions;

namespace LoraServe.Serving.Tests;

/// <summary>Real adapters of a real model, of every method, all in one batch, against the reference library's greedy answers and against themselves alone.</summary>
public class RealAdaptersTests(ITestOutputHelper output)
{
    private const double UncertainMargin = 1e-3;
    private const double LogitTolerance = 1e-3;

    [SkippableFact]
    public Task GenerateAsync_AllAdaptersAndTheBaseTogether_EqualsTheReferenceAndEachAlone() => CompareAsync(promptsPerAdapter: 1);

    [SkippableFact]
    [Trait("Category", "Long")]
    public Task GenerateAsync_AllPromptsOfAllAdaptersTogether_EqualsTheReferenceAndEachAlone() => CompareAsync(promptsPerAdapter: int.MaxValue);

    private async Task CompareAsync(int promptsPerAdapter)
    {
        string adapters = SharedFiles.Require("adapters");
        string models = SharedFiles.Require("models");
        string model = Directory.GetFiles(models, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault() ?? "";
        Skip.If(model.Length == 0, "shared/models has no GGUF file.");
        using LoadedModel loaded = ModelLoader.Load(CpuDevice.Instance, model, new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        await using var engine = new InferenceEngine(loaded, new EngineOptions { KvCacheType = ElementType.F32, KvCacheBytes = 256L << 20 });
        List<Case> cases = [];
        foreach (string name in SharedFiles.FolderNames("adapters"))
        {
            string folder = Path.Combine(adapters, name);
            if (await TryPublishAsync(engine, name, folder))
            {
                cases.AddRange(Cases(name, Path.Combine(folder, "expected.json"), promptsPerAdapter));
            }
        }

        Skip.If(cases.Count == 0, "shared/adapters has no adapter with expected answers.");
        long begun = TimeProvider.System.GetTimestamp();
        GeneratedToken[][] together = await Task.WhenAll(cases.Select(one => RunAsync(engine, one.Request)));
        double seconds = TimeProvider.System.GetElapsedTime(begun).TotalSeconds;
        output.WriteLine($"{cases.Count} requests on {engine.Adapters.List(Principal.Operator).Count} adapters and the base: {together.Sum(tokens => tokens.Length) / seconds:0} tokens/s");
        foreach ((Case expected, GeneratedToken[] tokens) in cases.Zip(together))
        {
            int certain = Array.FindIndex(expected.Margins, margin => margin < UncertainMargin) is var first && first < 0 ? expected.Ids.Length : first;
            Assert.True(
                expected.Ids.AsSpan(0, certain).SequenceEqual([.. tokens[..certain].Select(token => token.TokenId)]),
                $"{expected.Name} gives {string.Join(' ', tokens.Select(token => token.TokenId))}, not {string.Join(' ', expected.Ids)}");
            CompareFirstStep(expected, tokens[0]);
        }

        for (int i = 0; i < cases.Count; i += 3)
        {
            GeneratedToken[] alone = await RunAsync(engine, cases[i].Request);
            Assert.Equal(alone.Select(token => (token.TokenId, token.LogProbability)), together[i].Select(token => (token.TokenId, token.LogProbability)));
        }
    }

    /// <summary>The greatest logits after the prompt, by their distances from the greatest of all; the last ones may be others where they are close.</summary>
    private static void CompareFirstStep(Case expected, GeneratedToken first)
    {
        Dictionary<int, double> found = first.Top.ToDictionary(top => top.TokenId, top => (double)top.LogProbability);
        double greatest = found[expected.TopIds[0]];
        for (int i = 0; i < expected.TopIds.Length - 1; i++)
        {
            double distance = expected.TopLogits[0] - expected.TopLogits[i];
            Assert.True(found.TryGetValue(expected.TopIds[i], out double value) || expected.TopLogits[i] - expected.TopLogits[^1] < UncertainMargin, $"{expected.Name} lacks token {expected.TopIds[i]}");
            Assert.Equal(distance, greatest - value, LogitTolerance);
        }
    }

    private static async Task<bool> TryPublishAsync(InferenceEngine engine, string name, string folder)
    {
        if (!File.Exists(Path.Combine(folder, "adapter_config.json")) || !File.Exists(Path.Combine(folder, "expected.json")))
        {
            return false;
        }

        await engine.Adapters.PublishAsync(Principal.Operator, name, folder);
        return true;
    }

    private static IEnumerable<Case> Cases(string name, string expected, int promptsPerAdapter)
    {
        using JsonDocument parsed = JsonDocument.Parse(File.ReadAllBytes(expected));
        foreach (JsonElement prompt in parsed.RootElement.GetProperty("greedy").GetProperty("prompts").EnumerateArray().Take(promptsPerAdapter))
        {
            foreach ((string key, string adapter) in new[] { ("with_adapter", name), ("without_adapter", "") })
            {
                JsonElement answer = prompt.GetProperty(key);
                JsonElement top = answer.GetProperty("first_step_top8");
                int[] ids = Ints(answer.GetProperty("ids"));
                int[] topIds = Ints(top.GetProperty("ids"));
                var request = new GenerationRequest
                {
                    PromptTokens = Ints(prompt.GetProperty("input_ids")),
                    Adapters = AdapterReference.ParseStack(adapter),
                    Sampling = new SamplingOptions { MaxTokens = ids.Length, IgnoreEndToken = true, LogProbabilities = topIds.Length },
                };
                yield return new Case($"{name}, {key}", request, ids, Doubles(answer.GetProperty("top1_minus_top2")), topIds, Doubles(top.GetProperty("logits")));
            }
        }

        static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetInt32())];

        static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetDouble())];
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

    private sealed record Case(string Name, GenerationRequest Request, int[] Ids, double[] Margins, int[] TopIds, double[] TopLogits);
}

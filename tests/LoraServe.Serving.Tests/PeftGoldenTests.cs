using System.Text.Json;
using LoraServe.Compute;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Testing;
using Xunit.Abstractions;

namespace LoraServe.Serving.Tests;

/// <summary>Adapters of every method on one small base, all requests at once, in chunks and short of pages, against the reference library's greedy answers.</summary>
public class PeftGoldenTests(ITestOutputHelper output)
{
    private const string Root = "fixtures/peft";

    [SkippableTheory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("gpt2")]
    public async Task GenerateAsync_AllMethodsTogether_GivesTheReferencesGreedyIds(string name)
    {
        using JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require($"{Root}/index.json")));
        using LoadedModel loaded = ModelLoader.Load(CpuDevice.Instance, SharedFiles.Require($"{Root}/bases/{name}"), new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        var options = new EngineOptions
        {
            KvCacheType = ElementType.F32,
            KvCacheBytes = 24 * loaded.Transformer.PageBytes(ElementType.F32),
            MaxBatchRows = 40,
            Workers = 2,
        };
        await using var engine = new InferenceEngine(loaded, options);
        var cases = new List<(string Adapter, int[] Prompt, int[] Ids)>();
        foreach (JsonElement entry in index.RootElement.GetProperty("cases").EnumerateArray().Where(entry => entry.GetProperty("base").GetString() == name))
        {
            string path = entry.GetProperty("path").GetString()!;
            string adapter = entry.GetProperty("case").GetString()!;
            bool mayBeRefused = entry.TryGetProperty("optional", out JsonElement optional) && optional.GetBoolean();
            try
            {
                await engine.Adapters.PublishAsync(Principal.Operator, adapter, SharedFiles.Require($"{Root}/{path}"));
            }
            catch (EngineException refusal) when (mayBeRefused || refusal.Message.Contains("supported", StringComparison.Ordinal))
            {
                output.WriteLine($"without {path}: {refusal.Message}");
                continue;
            }

            using SafetensorsFile expected = SafetensorsFile.Open(SharedFiles.Require($"{Root}/{path}/expected.safetensors"));
            for (int i = 0; expected.Tensors.ContainsKey($"prompt.{i}"); i++)
            {
                string task = expected.Tensors.ContainsKey($"task.{i}") ? $"#{Ids(expected, $"task.{i}")[0]}" : "";
                cases.Add((adapter + task, Ids(expected, $"prompt.{i}"), Ids(expected, $"greedy.{i}")));
            }
        }

        output.WriteLine($"{cases.Count} requests on {cases.DistinctBy(one => one.Adapter).Count()} adapters");
        int[][] answers = await Task.WhenAll(cases.Select(one => RunAsync(engine, one.Adapter, one.Prompt, one.Ids.Length)));
        foreach (((string adapter, _, int[] ids), int[] answer) in cases.Zip(answers))
        {
            Assert.True(ids.AsSpan().SequenceEqual(answer), $"{adapter} gives {string.Join(' ', answer)}, not {string.Join(' ', ids)}");
        }

        Assert.Equal(0, engine.Status.UsedPages);
    }

    private static int[] Ids(SafetensorsFile file, string name) => [.. file.Tensors[name].ToFloats().Select(id => (int)id)];

    private static async Task<int[]> RunAsync(InferenceEngine engine, string adapter, int[] prompt, int count)
    {
        List<int> ids = [];
        var request = new GenerationRequest { PromptTokens = prompt, Adapters = [AdapterReference.Named(adapter)], Sampling = new SamplingOptions { MaxTokens = count, IgnoreEndToken = true } };
        await foreach (GeneratedToken token in await engine.GenerateAsync(request))
        {
            ids.Add(token.TokenId);
        }

        return [.. ids];
    }
}

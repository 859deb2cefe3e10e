using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests;

/// <summary>Small checkpoints of every family, their prompts at once, in chunks and short of pages, against transformers' greedy answers.</summary>
/// <remarks>Those with LongRope grow beyond the model's original context meanwhile, from where on all of a sequence's keys are turned in another way.</remarks>
public class ModelGoldenTests
{
    public static TheoryData<string> Checkpoints() => [.. SharedFiles.Cases(SharedFiles.FolderNames("fixtures/models"))];

    [SkippableTheory]
    [MemberData(nameof(Checkpoints))]
    public async Task GenerateAsync_PromptsOfACheckpoint_GiveTheReferencesGreedyIds(string name)
    {
        string folder = SharedFiles.Require($"fixtures/models/{name}");
        using var golden = new Golden(Path.Combine(folder, "expected.safetensors"));
        using LoadedModel loaded = ModelLoader.Load(CpuDevice.Instance, folder, new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        var options = new EngineOptions
        {
            KvCacheType = ElementType.F32,
            KvCacheBytes = 12 * loaded.Transformer.PageBytes(ElementType.F32),
            MaxBatchRows = 20,
            Workers = 2,
        };
        await using var engine = new InferenceEngine(loaded, options);
        await Task.WhenAll(golden.Indices(i => $"prompt_{i}.input_ids").Select(async i =>
        {
            string cached = $"prompt_{i}.greedy_ids_cached";
            int[] expected = golden.Ids(golden.Has(cached) ? cached : $"prompt_{i}.greedy_ids");
            var request = new GenerationRequest
            {
                PromptTokens = golden.Ids($"prompt_{i}.input_ids"),
                Sampling = new SamplingOptions { MaxTokens = expected.Length, IgnoreEndToken = true },
            };
            List<int> ids = [];
            await foreach (GeneratedToken token in await engine.GenerateAsync(request))
            {
                ids.Add(token.TokenId);
            }

            Assert.Equal(expected, ids);
        }));
        Assert.Equal(0, engine.Status.UsedPages);
    }
}

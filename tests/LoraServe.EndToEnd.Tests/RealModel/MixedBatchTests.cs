using System.Text.Json.Nodes;
using LoraServe.Compute;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;
using Xunit.Abstractions;

namespace LoraServe.EndToEnd.Tests.RealModel;

/// <summary>All real adapters and the base model in one batch.</summary>
public class MixedBatchTests(ITestOutputHelper output)
{
    /// <summary>Where two tokens are as near as this, another order of summation may choose the other.</summary>
    private const double DecidingMargin = 1e-3;

    [SkippableFact]
    public Task Generate_ShortRecordedPromptsOfAllAdaptersAtOnce_GiveTheRecordedTokens() => CheckRecordedAsync(promptsOfEach: 2);

    [SkippableFact]
    [Trait("Category", "Long")]
    public Task Generate_RecordedPromptsOfAllAdaptersAtOnce_GiveTheRecordedTokens() => CheckRecordedAsync(promptsOfEach: int.MaxValue);

    [SkippableTheory]
    [InlineData(Arithmetic.Exact)]
    [InlineData(Arithmetic.Fast)]
    public async Task Generate_AllAdaptersAndTheBaseAtOnce_AnswersAreThoseOfEachAlone(Arithmetic arithmetic)
    {
        await using TestServer server = await RealAdapters.ServeAsync(arithmetic);
        GenerateRequest[] requests =
        [
            .. from name in RealAdapters.Names
               from adapter in new[] { name, "" }
               select RealAdapters.Request(adapter, RealAdapters.Prompts(name).First(), tokens: 6),
            RealAdapters.Request($"{RealAdapters.Names[0]}:0.5+{RealAdapters.Names[^1]}", RealAdapters.Prompts(RealAdapters.Names[^1]).First(), tokens: 6),
        ];
        Answer[] together = await Task.WhenAll(requests.Select(server.AskAsync));
        for (int i = 0; i < requests.Length; i++)
        {
            Assert.Equal(await server.AskAsync(requests[i]), together[i]);
        }
    }

    private async Task CheckRecordedAsync(int promptsOfEach)
    {
        await using TestServer server = await RealAdapters.ServeAsync(Arithmetic.Exact);
        (string Adapter, JsonNode Prompt, JsonNode Expected)[] cases =
        [
            .. from name in RealAdapters.Names
               from prompt in RealAdapters.Prompts(name).Take(promptsOfEach)
               from isAdapted in new[] { true, false }
               select (isAdapted ? name : "", prompt, prompt[isAdapted ? "with_adapter" : "without_adapter"]!),
        ];
        cases = [.. cases.DistinctBy(one => (one.Adapter, one.Prompt["text"]!.ToString()))];
        int ties = 0;
        await Task.WhenAll(cases.Select(async one =>
        {
            int[] expected = [.. one.Expected["ids"]!.AsArray().Select(id => (int)id!)];
            GenerateResponse answer = await server.Client.Inference.GenerateAsync(RealAdapters.Request(one.Adapter, one.Prompt, expected.Length));
            int[] ids = [.. answer.Choices[0].TokenIds.Select(id => (int)id)];
            int same = expected.Zip(ids).TakeWhile(pair => pair.First == pair.Second).Count();
            if (same < expected.Length)
            {
                double margin = (double)one.Expected["top1_minus_top2"]![same]!;
                Assert.True(margin < DecidingMargin, $"'{one.Adapter}', prompt '{one.Prompt["text"]}': token {same} is {ids[same]} instead of {expected[same]}, whose margin was {margin}");
                Interlocked.Increment(ref ties);
            }
        }));
        output.WriteLine($"{cases.Length} prompts of {RealAdapters.Names.Length} adapters and the base; {ties} went another way at a tie");
    }
}

using System.Text.Json;
using System.Text.RegularExpressions;
using LoraServe.Testing;

namespace LoraServe.Cli.Tests.Verbs;

/// <summary>Evaluates real adapters on real data and compares with what PEFT found, on the same rows.</summary>
public sealed partial class TrainedAdaptersTests : IDisposable
{
    private const int ExactMatchRows = 40;
    private const int LossRows = 8;
    private const int FastDifference = 2;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loraserve-eval-");

    public static TheoryData<string> Adapters { get; } = [.. SharedFiles.Cases(SharedFiles.FolderNames("adapters").Where(HasAnswers))];

    public void Dispose() => _folder.Delete(recursive: true);

    [SkippableTheory]
    [Trait("Category", "Long")]
    [MemberData(nameof(Adapters))]
    public async Task Metric_OnTheFirstRows_IsWhatPeftFound(string name)
    {
        string folder = SharedFiles.Require($"adapters/{name}");
        JsonElement evaluation = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "expected.json"))).GetProperty("evaluation");
        JsonElement expected = evaluation.GetProperty("adapter");
        string data = SharedFiles.Require($"data/{evaluation.GetProperty("split").GetString()}");
        if (expected.TryGetProperty("predictions", out JsonElement predictions))
        {
            await CompareAnswersAsync(folder, data, expected, [.. predictions.EnumerateArray().Select(prediction => prediction.GetString()!.Trim())]);
        }
        else if (expected.TryGetProperty("per_row", out JsonElement losses))
        {
            await CompareLossesAsync(folder, data, [.. losses.EnumerateArray().Select(loss => loss.GetDouble())]);
        }
        else
        {
            Skip.If(true, $"adapters/{name} has a metric that is computed outside ({expected.GetProperty("metric").GetString()}).");
        }
    }

    private static bool HasAnswers(string name) =>
        SharedFiles.TryGet($"adapters/{name}/expected.json") is not null && SharedFiles.TryGet($"adapters/{name}/adapter_config.json") is not null;

    private static string Model()
    {
        string models = SharedFiles.Require("models");
        return Directory.GetFiles(models, "*.gguf").Order(StringComparer.Ordinal).First();
    }

    private async Task CompareAnswersAsync(string adapter, string data, JsonElement expected, string[] predictions)
    {
        int rows = Math.Min(ExactMatchRows, predictions.Length);
        string[] wanted = [.. File.ReadLines(data).Take(rows).Select(line => JsonElement.Parse(line).GetProperty("completion").GetString()!.Trim())];
        int right = wanted.Zip(predictions).Count(pair => pair.First == pair.Second);

        string maxTokens = $"{expected.GetProperty("max_new_tokens").GetInt32()}";
        (_, JsonElement[] answers) = await EvaluateAsync(adapter, data, rows, maxTokens, "--arithmetic", "exact");
        (JsonElement fast, _) = await EvaluateAsync(adapter, data, rows, maxTokens, "--arithmetic", "fast");

        // One close decision may fall otherwise in another order of summation.
        string[] different = [.. answers.Zip(predictions, (answer, prediction) => (Found: answer.GetProperty("answer").GetString()!, Expected: prediction))
            .Where(pair => pair.Found != pair.Expected).Select(pair => $"'{pair.Found}' for PEFT's '{pair.Expected}'")];
        Assert.True(different.Length <= 1, string.Join(", ", different));

        // Rounded activations change more answers of an adapter that is far from trained, but not how many are right.
        Assert.InRange(fast.GetProperty("exact_match").GetDouble(), (double)(right - FastDifference) / rows, (double)(right + FastDifference) / rows);
    }

    private async Task CompareLossesAsync(string adapter, string data, double[] losses)
    {
        (_, JsonElement[] answers) = await EvaluateAsync(adapter, data, Math.Min(LossRows, losses.Length), "1", "--arithmetic", "exact");

        string[] texts = [.. File.ReadLines(data)];
        foreach (JsonElement answer in answers)
        {
            // The tokenizer that made these files leaves the split before digits out, which joins white space there.
            int row = answer.GetProperty("line").GetInt32() - 1;
            if (!DigitAfterLines().IsMatch(texts[row]))
            {
                Assert.Equal(losses[row], answer.GetProperty("loss").GetDouble(), tolerance: 1e-4 * losses[row]);
            }
        }
    }

    private async Task<(JsonElement Result, JsonElement[] Answers)> EvaluateAsync(string adapter, string data, int rows, string maxTokens, params string[] more)
    {
        string answers = Path.Combine(_folder.FullName, "answers.jsonl");
        CommandRun run = await CommandRun.SuccessAsync(
            ["eval", "--model", Model(), "--adapter", adapter, "--data", data, "--limit", $"{rows}", "--max-tokens", maxTokens, "--answers", answers, "--json", .. more]);
        return (run.Json, [.. File.ReadLines(answers).Select(line => JsonElement.Parse(line))]);
    }

    [GeneratedRegex(@"(\s|\\n)(\s|\\n)+\d")]
    private static partial Regex DigitAfterLines();
}

using System.Text.Json;
using System.Text.RegularExpressions;
using LoraServe.Models.Text;
using LoraServe.Models.Backward;
using LoraServe.Testing;
using LoraServe.Training.Data;

namespace LoraServe.Training.Tests.Data;

/// <summary>Rows as the ecosystem's trainers tokenised them.</summary>
public sealed partial class ReferenceRowsTests
{
    private static readonly ExampleOptions s_options = new() { MaximumLength = 256 };

    public static TheoryData<string> Adapters => [.. SharedFiles.Cases(SharedFiles.FolderNames("adapters").Where(name => SharedFiles.TryGet($"adapters/{name}/expected.json") is not null))];

    [SkippableFact]
    public void Encode_OfTheReferenceRunsRows_GivesTheirTokensAndLabels()
    {
        JsonElement run = JsonElement.Parse(File.ReadAllText(SharedFiles.Require("adapters/reference-run/run.json")));
        using var file = DataFile.Open(SharedFiles.Require($"data/{run.GetProperty("task").GetString()}"));
        RowTokenizer tokenizer = Tokenizer();
        foreach (JsonElement batch in run.GetProperty("batches").EnumerateArray())
        {
            int[] rows = Integers(batch.GetProperty("rows"));
            for (int i = 0; i < rows.Length; i++)
            {
                if (DigitAfterSpaces().IsMatch(file.Read(rows[i]).Prompt))
                {
                    continue;
                }

                int length = batch.GetProperty("lengths")[i].GetInt32();
                TrainingExample example = tokenizer.Encode(file.Read(rows[i]), s_options)!;

                Assert.Equal(Integers(batch.GetProperty("input_ids")[i])[..length], example.Tokens);
                Assert.Equal(Integers(batch.GetProperty("labels")[i])[..length], example.Labels);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Adapters))]
    public void EncodePrompt_OfEvaluatedRows_GivesTheirTokens(string adapter)
    {
        JsonElement expected = JsonElement.Parse(File.ReadAllText(SharedFiles.Require($"adapters/{adapter}/expected.json")));
        RowTokenizer tokenizer = Tokenizer();
        using var file = DataFile.Open(SharedFiles.Require($"data/{expected.GetProperty("evaluation").GetProperty("split").GetString()}"));
        ILookup<string, int[]> tokens = Enumerable.Range(0, file.Count).Select(row => tokenizer.Turns(file.Read(row))[0]).ToLookup(turn => turn.Prompt, tokenizer.EncodePrompt);

        Assert.All(
            expected.GetProperty("greedy").GetProperty("prompts").EnumerateArray().Where(prompt => !DigitAfterSpaces().IsMatch(prompt.GetProperty("text").GetString()!)),
            prompt => Assert.Equal(Integers(prompt.GetProperty("input_ids")), tokens[prompt.GetProperty("text").GetString()!].First()));
    }

    [SkippableFact]
    public void Encode_OfEveryTrainingRow_Succeeds()
    {
        RowTokenizer tokenizer = Tokenizer();
        foreach (string path in Directory.GetFiles(SharedFiles.Require("data"), "*.train.jsonl"))
        {
            using var file = DataFile.Open(path);
            for (int row = 0; row < file.Count; row += 20)
            {
                TrainingExample example = tokenizer.Encode(file.Read(row), s_options with { MaximumLength = int.MaxValue })!;
                Assert.Equal(tokenizer.EndToken, example.Labels[^1]);
            }
        }
    }

    private static RowTokenizer Tokenizer()
    {
        string models = SharedFiles.Require("models");
        ModelText text = ModelText.Read(Directory.GetFiles(models, "*.gguf").Order(StringComparer.Ordinal).First());
        return new RowTokenizer(text.Tokenizer!, text.Tokenizer!.SpecialIds.Eos, ChatFormat.Of(text));
    }

    /// <summary>The tokenizer that made these files leaves the split before digits out, which joins white space there.</summary>
    [GeneratedRegex(@"\s\s+\d")]
    private static partial Regex DigitAfterSpaces();

    private static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];
}

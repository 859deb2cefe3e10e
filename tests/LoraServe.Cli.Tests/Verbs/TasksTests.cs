using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Testing;

namespace LoraServe.Cli.Tests.Verbs;

/// <summary>Adapters of several tasks in the verbs: <c>DIR#2</c> is one of them.</summary>
public sealed class TasksTests
{
    private const string Root = "fixtures/peft";
    private const string Multitask = $"{Root}/llama/multitask-prompt-tuning";

    [SkippableFact]
    public async Task Logits_OfATask_AreThoseOfTheReference()
    {
        using var folder = new TemporaryDirectory();
        using var expected = new Golden(SharedFiles.Require($"{Multitask}/expected.safetensors"));
        int[] prompts = [.. expected.Indices(i => $"prompt.{i}")];
        Assert.NotEmpty(prompts);
        foreach (int prompt in prompts)
        {
            int task = expected.Ids($"task.{prompt}")[0];
            string tokens = folder.File("tokens.json");
            await File.WriteAllTextAsync(tokens, $"[[{string.Join(',', expected.Ids($"prompt.{prompt}"))}]]");
            string[] command = ["logits", "--model", SharedFiles.Require($"{Root}/bases/llama"), "--arithmetic", "exact", "--tokens", tokens, "--out", folder.File("logits.safetensors")];
            await CommandRun.SuccessAsync([.. command, "--adapter", $"{SharedFiles.Require(Multitask)}#{task}"]);
            using var actual = new Golden(folder.File("logits.safetensors"));
            Assert.InRange(Golden.LargestDifference([actual.Floats("logits.0")], expected.Floats($"logits.{prompt}")), 0, 1e-3f);
            Assert.Contains("is for 3 tasks", await CommandRun.MisuseAsync([.. command, "--adapter", SharedFiles.Require(Multitask)]), StringComparison.Ordinal);
            Assert.Contains("has no task 3", await CommandRun.MisuseAsync([.. command, "--adapter", $"{SharedFiles.Require(Multitask)}#3"]), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Parse_ATaskBehindADirectory_IsTakenOffUnlessTheDirectoryIsCalledThat()
    {
        using var folder = new TemporaryDirectory();
        string odd = Directory.CreateDirectory(folder.File("odd#2")).FullName;
        string plain = Directory.CreateDirectory(folder.File("plain")).FullName;

        Assert.Equal(new NamedAdapter("odd#2", odd), NamedAdapter.Parse(odd));
        Assert.Equal(new NamedAdapter("a", odd), NamedAdapter.Parse($"a={odd}"));
        Assert.Equal(new NamedAdapter("odd#2", odd, 1), NamedAdapter.Parse($"{odd}#1"));
        Assert.Equal(new NamedAdapter("plain", plain, 2), NamedAdapter.Parse($"{plain}#2"));
        Assert.Equal(new NamedAdapter("a", plain, 0), NamedAdapter.Parse($"a={plain}#0"));
        Assert.Equal("a#0", NamedAdapter.Parse($"a={plain}#0").Reference.ToString());
        Assert.Throws<UsageException>(() => NamedAdapter.Parse("a=#1"));
    }
}

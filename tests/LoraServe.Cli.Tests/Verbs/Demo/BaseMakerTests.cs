using System.Text.Json;
using LoraServe.Compute;
using LoraServe.Cpu;
using LoraServe.EmbeddedBase;
using LoraServe.Models;
using LoraServe.Models.Text;

namespace LoraServe.Cli.Tests.Verbs.Demo;

public sealed class BaseMakerTests : IDisposable
{
    private static readonly BaseRecipe s_tiny = new()
    {
        VocabularySize = 280,
        Width = 16,
        FeedForwardWidth = 32,
        Layers = 2,
        Heads = 2,
        KeyValueHeads = 1,
        Context = 64,
        RowTokens = 32,
        BatchTokens = 64,
        Steps = 12,
        LearningRate = 1e-2,
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loraserve-");

    public BaseMakerTests()
    {
        var conversation = new { messages = new[] { new { role = "user", content = "Two and two?" }, new { role = "assistant", content = "Four." } } };
        foreach (string split in new[] { "train", "eval" })
        {
            Write($"e2e.{split}", new { prompt = "name[The Eagle], food[Japanese], familyFriendly[no]\nDescription:", completion = " The Eagle is a Japanese place.", references = new[] { "The Eagle is a Japanese place." } });
            Write($"banking77.{split}", new { prompt = "Customer: Where is my card?\nIntent:", completion = " card arrival" });
            Write($"snips.{split}", new { prompt = $"Command: play {split} songs\nIntent:", completion = " PlayMusic" });
            Write($"gsm8k.{split}", conversation);
            Write($"roleplay.{split}", conversation);
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Rows_KeepTheFormOfTheDemonstrationBack()
    {
        IReadOnlyList<string> rows = PretrainingText.Rows(_folder.FullName, longRows: 1);

        Assert.Equal(
            [
                "Facts: The Eagle | Japanese | not family friendly\nText: The Eagle is a Japanese place.",
                "Description: The Eagle is a Japanese place.",
                "Customer: Where is my card?\nIntent: card arrival",
                "Command: play train songs",
                "user: Two and two?\nassistant: Four.",
                "user: Two and two?\nassistant: Four.",
            ],
            rows);
    }

    [Fact]
    public void Tasks_HaveOtherRowsForQuestions()
    {
        string tasks = Path.Combine(_folder.FullName, "tasks");

        DemoTasks.Write(_folder.FullName, tasks);

        Assert.Equal("""{"prompt":"Command: play eval songs\nIntent:","completion":" PlayMusic"}""", File.ReadAllText(Path.Combine(tasks, "intent.eval.jsonl")).Trim());
        Assert.Contains("Command: play train songs", File.ReadAllText(Path.Combine(tasks, "intent.train.jsonl")), StringComparison.Ordinal);
    }

    [Fact]
    public void Pirate_KeepsTheFacts() =>
        Assert.Equal(" Arr, The Eagle be a crew restaurant. She be havin' Japanese grub, matey!", DemoTasks.Pirate("The Eagle is a family restaurant. It has Japanese food."));

    [Fact]
    public async Task Make_Twice_GivesTheSameModelThatLoads()
    {
        byte[] first = await MakeAsync("first");
        byte[] second = await MakeAsync("second");

        Assert.Equal(first, second);
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, Path.Combine(_folder.FullName, "first", "out"), new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        Assert.Equal(16, model.Transformer.Spec.Width);
        Assert.NotNull(ChatFormat.Of(model.Text));
        Assert.Equal(1, Assert.Single(model.Generation.EndTokens));
    }

    private async Task<byte[]> MakeAsync(string name)
    {
        string folder = Path.Combine(_folder.FullName, name);
        string output = Path.Combine(folder, "out");
        await new BaseMaker(s_tiny, TextWriter.Null).MakeAsync(_folder.FullName, folder, output);
        return await File.ReadAllBytesAsync(Path.Combine(output, "model.safetensors"));
    }

    private void Write(string name, object row) => File.WriteAllText(Path.Combine(_folder.FullName, $"{name}.jsonl"), JsonSerializer.Serialize(row) + "\n");
}

using System.Text.Json;
using LoraServe.Adapters;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Training;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Options;
using LoraServe.Training.Reports;

namespace LoraServe.EmbeddedBase;

/// <summary>Makes the embedded base: text, vocabulary, first weights, training, rounding.</summary>
/// <param name="recipe">What is made.</param>
/// <param name="log">Gets a line now and then.</param>
internal sealed class BaseMaker(BaseRecipe recipe, TextWriter log)
{
    private const int LinesOfARun = 100;
    private const int CheckpointInterval = 50;

    /// <summary>Makes it. A run that was interrupted goes on from its checkpoint.</summary>
    /// <param name="data">Folder of the data sets.</param>
    /// <param name="work">Folder for what is needed on the way.</param>
    /// <param name="output">Folder that gets the model.</param>
    public async Task MakeAsync(string data, string work, string output)
    {
        string untrained = Path.Combine(work, "untrained");
        string rowFile = Path.Combine(work, "rows.jsonl");
        Directory.CreateDirectory(untrained);
        IReadOnlyList<string> rows = PretrainingText.Rows(data, recipe.LongRows);
        (IReadOnlyList<byte[]> tokens, IReadOnlyList<(int, int)> merges) =
            BytePairTrainer.Train(rows.Concat(PretrainingText.Forms(data)), recipe.VocabularySize - TokenizerFiles.SpecialCount);
        TokenizerFiles.Write(untrained, tokens, merges);
        UntrainedModel.Write(untrained, recipe);
        File.WriteAllLines(rowFile, rows.Select(row => JsonSerializer.Serialize(new { text = row })));
        log.WriteLine($"{rows.Count} rows, {tokens.Count} tokens and {merges.Count} merges");

        string trained = await TrainAsync(untrained, rowFile, Path.Combine(work, "run")).ConfigureAwait(false);
        ModelDirectoryWriter.CopyTokenizer(untrained, trained);
        Bfloat16Model.Write(trained, output);
    }

    private async Task<string> TrainAsync(string untrained, string rowFile, string run)
    {
        var options = new TrainingJobOptions
        {
            Method = "full",
            DataFile = rowFile,
            MaximumLength = recipe.RowTokens,
            BatchTokens = recipe.BatchTokens,
            Steps = recipe.Steps,
            LearningRate = recipe.LearningRate,
            Schedule = LearningRateSchedule.Cosine,
            Optimizer = new OptimizerOptions { Beta2 = 0.98, WeightDecay = 0.02 },
            Seed = recipe.Seed,
            CheckpointInterval = CheckpointInterval,
        };
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, untrained, new ModelLoadOptions());
        log.WriteLine($"{model.Transformer.ParameterCount()} parameters");
        using var trainer = new Trainer(model);
        int every = Math.Max(1, recipe.Steps / LinesOfARun);
        TrainingOutcome outcome = await trainer.RunAsync(
            options,
            run,
            progress =>
            {
                if (progress.Step % every == 0 || progress.Step <= 3)
                {
                    log.WriteLine(FormattableString.Invariant($"step {progress.Step}/{progress.TotalSteps}  loss {progress.Loss:0.000}  {progress.TokensPerSecond:0} tokens/s  {progress.SecondsLeft:0} s left"));
                    log.Flush();
                }
            },
            CancellationToken.None).ConfigureAwait(false);
        return outcome.Directory;
    }
}

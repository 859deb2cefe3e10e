using System.CommandLine;
using LoraServe.Cli.Arguments;
using LoraServe.Compute;
using LoraServe.Models;
using LoraServe.Studio;
using LoraServe.Training;
using LoraServe.Training.Methods;
using LoraServe.Training.Options;
using LoraServe.Training.Ranks.Policies;
using LoraServe.Training.Reports;

namespace LoraServe.Cli.Verbs.Train;

/// <summary><c>loraserve train</c>: trains an adapter and leaves it as PEFT would, with a log and a report.</summary>
internal static class TrainVerb
{
    /// <summary>How it is called.</summary>
    public const string Name = "train";

    public static Command Create()
    {
        var model = new ModelArguments();
        var training = new TrainingArguments();
        var folder = new Option<string>("--out") { Description = "Folder of the run: the adapter, metrics.jsonl and report.html. A run that was interrupted goes on from its checkpoint there.", Required = true, HelpName = "DIR" };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace the run that --out has, finished or not. Without it a finished run of the same settings stays as it is, and one of others is refused." };
        var json = new Option<bool>("--json") { Description = "Print one object at the end." };
        var verb = new NotedCommand(Name, "Train an adapter, or the whole model, on a data set.", MethodNotes.Text());
        model.AddTo(verb, choosesArithmetic: false);
        training.AddTo(verb);
        verb.Add(folder);
        verb.Add(overwrite);
        verb.Add(json);
        verb.SetAction(async (arguments, cancellationToken) =>
        {
            TrainingJobOptions options = training.Read(arguments);
            bool quantises = MethodCatalog.Find(options.Method).Any(method => method.QuantisesBase);
            using LoadedModel loaded = model.Load(arguments, Arithmetic.Exact, quantises);
            using var trainer = new Trainer(loaded, new TrainerOptions { WorkerCount = model.Threads(arguments) });
            trainer.Check(options);
            if (options.ChoosesRank && RankPolicies.Find(options.RankPolicy).NeedsSpectra)
            {
                await arguments.InvocationConfiguration.Error.WriteLineAsync(
                    $"Choosing ranks by {options.RankPolicy}: the singular values of every target, which takes minutes on a large model.").ConfigureAwait(false);
            }

            if (arguments.GetValue(overwrite))
            {
                // What is there is given up for rows that can be read, and not for a slip of the pen.
                trainer.CheckRows(options, TimeSpan.Zero, cancellationToken);
                Trainer.Discard(arguments.GetValue(folder)!);
            }

            var screen = new TrainingScreen(arguments.InvocationConfiguration.Error);
            using CancellationTokenRegistration stopping = cancellationToken.Register(() => arguments.InvocationConfiguration.Error.WriteLine(options.CheckpointInterval > 0
                ? $"Stopping after the step that runs. The same command goes on from there, with the checkpoint in {arguments.GetValue(folder)}."
                : "Stopping after the step that runs, without a checkpoint."));
            TrainingOutcome outcome = await screen.ShowAsync(progress => trainer.RunAsync(options, arguments.GetValue(folder)!, progress, cancellationToken)).ConfigureAwait(false);
            if (outcome.WasDone)
            {
                await arguments.InvocationConfiguration.Error.WriteLineAsync($"{outcome.Directory}: done already, with the same settings; nothing was trained. --overwrite trains it anew.").ConfigureAwait(false);
            }

            if (MethodCatalog.Find(options.Method).Any(method => method.MakesModel) && !ModelDirectoryWriter.CopyTokenizer(model.Path(arguments), outcome.Directory))
            {
                await arguments.InvocationConfiguration.Error.WriteLineAsync(
                    $"note: {model.Path(arguments)} has no tokenizer.json; put the model's into {outcome.Directory} to use it with text.").ConfigureAwait(false);
            }

            TextWriter output = arguments.InvocationConfiguration.Output;
            if (arguments.GetValue(json))
            {
                output.WriteJson(outcome.Summary);
            }
            else
            {
                TrainingScreen.Write(output, outcome);
            }
        });
        return verb;
    }
}

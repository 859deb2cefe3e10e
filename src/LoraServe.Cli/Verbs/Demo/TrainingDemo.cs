using System.Globalization;
using LoraServe.Adapters;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Rendering;
using LoraServe.Client;
using LoraServe.Compute;
using LoraServe.Compute.Machine;
using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.Server;
using LoraServe.Server.Access;
using LoraServe.Server.Options;
using LoraServe.Server.Surfaces;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Training;
using LoraServe.Training.Data;
using LoraServe.Training.Reports;
using LoraServe.V1;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Demo;

/// <summary>Serves the small model that comes with the program, trains adapters on it, publishes them and asks both the same.</summary>
internal static class TrainingDemo
{
    private const int ShownRows = 2;

    /// <summary>Runs it.</summary>
    /// <param name="tasks">What is learnt.</param>
    /// <param name="screen">What shows it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task RunAsync(IReadOnlyList<DemoTask> tasks, DemoScreen screen, CancellationToken cancellationToken)
    {
        screen.Say($"LoraServe: one frozen model; adapters learn on it, and are served from it in one batch.");
        using LoadedModel model = ModelArguments.Load(DemoTask.BaseDirectory, Arithmetic.Exact, ProcessorTopology.PhysicalCores);
        screen.Say($"Base: {Terminal.Count(model.Transformer.ParameterCount())} parameters, Llama architecture, trained from nothing by LoraServe ({DemoTask.BaseDirectory})");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("loraserve-");
        try
        {
            await RunAsync(model, tasks, folder.FullName, screen, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        screen.Say($"Train your own: loraserve train --model {DemoTask.BaseDirectory} --method {tasks[0].Options.Method} --data {tasks[0].Options.DataFile} --out DIR");
    }

    private static async Task RunAsync(LoadedModel model, IReadOnlyList<DemoTask> tasks, string folder, DemoScreen screen, CancellationToken cancellationToken)
    {
        await using var engine = new InferenceEngine(model, new EngineOptions { StoreFolder = Path.Combine(folder, "store") });
        await using LoraServeHost host = await LoraServeHost.StartAsync(
            new ServedModel(model, engine, ChatFormat.Of(model.Text)), new ServerOptions { Port = 0, HttpPort = 0 }, new AccessOptions(), cancellationToken: cancellationToken).ConfigureAwait(false);
        using var client = new LoraServeClient(host.Address);
        DataRow[][] rows = [.. tasks.Select(task => Read(task.EvaluationFile))];
        screen.Say($"Server: {host.Address} in this process. Asking the base {rows.Sum(some => some.Length)} questions over gRPC, all in one batch.");
        string[][] before = await AskAsync(client, tasks, rows, isAdapted: false, cancellationToken).ConfigureAwait(false);

        screen.Say($"Training {tasks.Count} adapters of {tasks.Count} methods together, on the same weights:");
        TrainingOutcome[] outcomes;
        using (var trainer = new Trainer(model))
        {
            outcomes = await screen.TrainAsync(
                [.. tasks.Select(task => task.Name)],
                (index, progress) => trainer.RunAsync(tasks[index].Options, Path.Combine(folder, tasks[index].Name), progress, cancellationToken)).ConfigureAwait(false);
        }

        foreach ((DemoTask task, TrainingOutcome outcome) in tasks.Zip(outcomes))
        {
            await engine.Adapters.PublishAsync(Principal.Operator, task.Name, outcome.Directory, cancellationToken: cancellationToken).ConfigureAwait(false);
        }

        screen.Say($"Published. The same questions to the adapters, mixed in one batch:");
        string[][] after = await AskAsync(client, tasks, rows, isAdapted: true, cancellationToken).ConfigureAwait(false);
        screen.Show(Scores(tasks, outcomes, rows, before, after));
        screen.Show(Answers(tasks, rows, before, after));
    }

    private static DataRow[] Read(string path)
    {
        using DataFile file = DataFile.Open(path);
        return [.. Enumerable.Range(0, file.Count).Select(file.Read)];
    }

    /// <summary>Sends all questions at once; the answers as one line each.</summary>
    private static async Task<string[][]> AskAsync(LoraServeClient client, IReadOnlyList<DemoTask> tasks, DataRow[][] rows, bool isAdapted, CancellationToken cancellationToken)
    {
        DemoAnswer[][] answers = [.. tasks.Zip(rows, (task, some) => some.Select(row => new DemoAnswer(Request(task, row), row.Prompt)).ToArray())];
        await Task.WhenAll(answers.SelectMany(some => some).Select(answer => answer.RunAsync(client, cancellationToken))).ConfigureAwait(false);
        return [.. answers.Select(some => some.Select(answer => answer.Text).ToArray())];

        GenerateRequest Request(DemoTask task, DataRow row) => new()
        {
            Adapter = isAdapted ? task.Name : "",
            Prompt = row.Prompt,
            Sampling = new LoraServe.V1.SamplingOptions { MaxTokens = (uint)task.AnswerTokens, Stop = { "\n" } },
        };
    }

    private static Table Scores(IReadOnlyList<DemoTask> tasks, TrainingOutcome[] outcomes, DataRow[][] rows, string[][] before, string[][] after)
    {
        Table table = Terminal.Table("adapter", "method", ">size", ">time", "measure", ">base", ">adapter");
        foreach ((int i, DemoTask task) in tasks.Index())
        {
            table.AddText(
                task.Name,
                task.Options.Method,
                Terminal.Bytes(outcomes[i].Summary.AdapterBytes),
                string.Create(CultureInfo.InvariantCulture, $"{outcomes[i].Summary.TrainingTime.TotalSeconds:0.0} s"),
                task.Measure,
                Percent(before[i]),
                Percent(after[i]));

            string Percent(string[] answers) => string.Create(CultureInfo.InvariantCulture, $"{100 * rows[i].Zip(answers, task.Score).Average():0} %");
        }

        return table;
    }

    private static Table Answers(IReadOnlyList<DemoTask> tasks, DataRow[][] rows, string[][] before, string[][] after)
    {
        Table table = Terminal.Table("prompt", "base", "adapter").ShowRowSeparators();
        foreach ((int i, DemoTask task) in tasks.Index())
        {
            for (int row = 0; row < Math.Min(ShownRows, rows[i].Length); row++)
            {
                table.AddText(rows[i][row].Prompt.Split('\n')[0], before[i][row], $"{task.Name}: {after[i][row]}");
            }
        }

        return table;
    }
}

using System.CommandLine;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Compute;
using LoraServe.Jobs;
using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.Server;
using LoraServe.Server.Options;
using LoraServe.Server.Surfaces;
using LoraServe.Serving;
using LoraServe.Serving.Store;
using LoraServe.Training;
using Microsoft.Extensions.Logging;

namespace LoraServe.Cli.Verbs;

/// <summary><c>loraserve serve</c>: one model and its adapters behind gRPC, until told to stop.</summary>
internal static class ServeVerb
{
    /// <summary>How it is called.</summary>
    public const string Name = "serve";

    /// <summary>Below the adapter root: uploads and the list of names.</summary>
    private const string StoreFolder = ".store";

    /// <summary>Below the adapter root: training jobs, the rows sent for them and their results.</summary>
    private const string TrainingFolder = ".training";

    public static Command Create()
    {
        var model = new ModelArguments();
        var adapters = new Option<string[]>("--adapter") { Description = "Publish an adapter at start, called NAME or as its folder. Repeatable.", HelpName = "[NAME=]DIR" };
        var root = new Option<string>("--adapter-root") { Description = "Folder in which adapters are found by name, loaded by path and kept when uploaded.", HelpName = "DIR" };
        var data = new Option<string>("--data-root") { Description = "Folder with files that training jobs can name; rows can be uploaded without it.", HelpName = "DIR" };
        var host = new Option<string>("--host") { Description = "Address or name to listen on; * for all addresses. [default: localhost]", HelpName = "ADDRESS" };
        var port = new Option<int?>("--port") { Description = "Port of gRPC; metrics and health are on the next one. [default: 8080]", HelpName = "N" };
        Option<bool> baseTemplate = TemplateArguments.Create();
        var config = new Option<string>("--config") { Description = "Settings as JSON; see the README.", HelpName = "FILE" };
        var verb = new Command(Name, "Serve a model and its adapters over gRPC.");
        model.AddTo(verb);
        verb.Add(adapters);
        verb.Add(root);
        verb.Add(data);
        verb.Add(host);
        verb.Add(port);
        verb.Add(baseTemplate);
        verb.Add(config);
        verb.SetAction(async (arguments, cancellationToken) =>
        {
            LoraServeConfiguration settings = LoraServeConfiguration.Read(arguments.GetValue(config));
            settings.Server.Host = arguments.GetValue(host) ?? settings.Server.Host;
            settings.Server.Port = arguments.GetValue(port) ?? settings.Server.Port;
            settings.Engine.AdapterRoot = arguments.GetValue(root) ?? settings.Engine.AdapterRoot;
            settings.Training.DataRoot = arguments.GetValue(data) ?? settings.Training.DataRoot;
            settings.Engine.Workers = model.Threads(arguments);
            settings.Engine.UseAdapterTemplates &= !arguments.GetValue(baseTemplate);
            if (settings.Engine.AdapterRoot is { } folder)
            {
                if (!Directory.Exists(folder))
                {
                    throw new UsageException($"The adapter root '{folder}' is not a folder. Create it, or correct --adapter-root.");
                }

                settings.Engine.StoreFolder ??= Path.Combine(folder, StoreFolder);
                settings.Training.StateFolder ??= Path.Combine(folder, TrainingFolder);
            }

            settings.Check();
            NamedAdapter[] published = NamedAdapter.ParseAll(arguments.GetValue(adapters) ?? []);
            if (published.FirstOrDefault(one => one.Task is not null) is { } ofTask)
            {
                throw new UsageException($"--adapter names task {ofTask.Task} of '{ofTask.Name}'. Leave it away: requests name the task, as {ofTask.Reference}.");
            }

            using var device = new StringWriter();
            LoadedModel loaded = model.Load(arguments, log: device);
            await ServeAsync(loaded, device.ToString(), settings, published, arguments.InvocationConfiguration, cancellationToken).ConfigureAwait(false);
        });
        return verb;
    }

    private static async Task ServeAsync(
        LoadedModel model, string device, LoraServeConfiguration settings, NamedAdapter[] adapters, InvocationConfiguration terminal, CancellationToken cancellationToken)
    {
        using var signals = new StopSignals(cancellationToken);
        CancellationToken stop = signals.Stop;
        using LoadedModel loaded = model;
        using ILoggerFactory loggers = LoggerFactory.Create(ConfigureLogging);
        await using var engine = new InferenceEngine(loaded, settings.Engine, loggers);
        foreach (PublishResult result in await NamedAdapter.PublishAsync(adapters, engine, terminal.Error, stop).ConfigureAwait(false))
        {
            AdapterRecord adapter = result.Adapter;
            await terminal.Output.WriteLineAsync($"adapter {adapter.Name}@{adapter.Version}: {adapter.Method}, rank {adapter.MaximumRank}, {result.Report.Adapter.MatchedModules.Length} modules").ConfigureAwait(false);
        }

        // Training is exact whatever serving is: the adapter that is published is the one that was trained, to the bit.
        using LoadedModel exact = loaded.In(Arithmetic.Exact);
        var background = new TrainerOptions { WorkerCount = settings.Engine.Workers, IsBackground = true, Share = settings.Training.Share };
        using Trainer? trainer = settings.Training.StateFolder is null ? null : new Trainer(exact, background);
        await using TrainingJobs? training = trainer is null ? null : new TrainingJobs(trainer, engine.Adapters, settings.Training, loggers);
        await using LoraServeHost host = await LoraServeHost.StartAsync(
            new ServedModel(loaded, engine, ChatFormat.Of(loaded.Text)) { Training = training }, settings.Server, settings.Access, ConfigureLogging, stop).ConfigureAwait(false);
        if (settings.Access.Keys.Count == 0 && !host.Address.IsLoopback)
        {
            await terminal.Error.WriteLineAsync("warning: no access keys are set, and the server listens on more than this machine: anybody can use and change it.").ConfigureAwait(false);
        }

        await terminal.Output.WriteAsync(device).ConfigureAwait(false);
        await terminal.Output.WriteLineAsync($"serving {loaded.Name} on {host.Address} (gRPC), REST on {(host.Address.Scheme == Uri.UriSchemeHttps ? host.Address : host.HttpAddress)}v1, metrics on {host.HttpAddress}metrics").ConfigureAwait(false);
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await terminal.Output.WriteLineAsync("stopping: waiting for running requests; once more to cut them off").ConfigureAwait(false);
        await host.StopAsync(signals.Hurry).ConfigureAwait(false);
    }

    /// <summary>Each call has one line of ours; what ASP.NET Core says of the same call would be four more, and four for each probe.</summary>
    private static void ConfigureLogging(ILoggingBuilder logging) =>
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        }).SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning);
}

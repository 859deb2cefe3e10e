using System.CommandLine;
using System.Globalization;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Rendering;
using LoraServe.Models;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;
using LoraServe.Studio;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Adapters;

/// <summary><c>loraserve adapters verify</c>: whether a server would take an adapter, and what it would say about it.</summary>
internal static class VerifyVerb
{
    /// <summary>No request will run, so the smallest cache will do.</summary>
    private const long CacheBytes = 1;

    public static Command Create()
    {
        var adapter = new Argument<string>("DIR") { Description = "A PEFT directory or a GGUF adapter file." };
        var model = new ModelArguments();
        var json = new Option<bool>("--json") { Description = "Print one object." };
        var verb = new Command("verify", "Load an adapter on a model as a server would; exit code 1 if it is refused.") { adapter, json };
        model.AddTo(verb);
        verb.SetAction(async (arguments, cancellationToken) =>
        {
            string path = arguments.GetValue(adapter)!;
            using LoadedModel loaded = model.Load(arguments);
            await using var engine = new InferenceEngine(loaded, new EngineOptions { Workers = model.Threads(arguments), KvCacheBytes = CacheBytes });
            PublishResult result = await engine.Adapters.PublishAsync(Principal.Operator, "adapter", path, cancellationToken: cancellationToken).ConfigureAwait(false);
            LoadReport report = result.Report;
            AdapterNotes.Write(report.Adapter, arguments.InvocationConfiguration.Error);
            TextWriter output = arguments.InvocationConfiguration.Output;
            if (arguments.GetValue(json))
            {
                output.WriteJson(new
                {
                    report.Adapter.Method,
                    MinRank = report.Adapter.MinimumRank,
                    MaxRank = report.Adapter.MaximumRank,
                    report.Adapter.MatchedModules,
                    report.Adapter.UnmatchedModules,
                    report.Adapter.Notes,
                    Norms = report.Adapter.DeltaNorms,
                    report.ResidentBytes,
                    report.ProbeLogitChange,
                    report.LoadSeconds,
                    result.Adapter.Digest,
                });
            }
            else
            {
                IAnsiConsole console = Terminal.Console(output);
                AdapterMatch.Write(console, report.Adapter);
                console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Largest change of a logit on a probe prompt: {report.ProbeLogitChange:0.###}"));
                console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"In memory: {Terminal.Bytes(report.ResidentBytes)}; loaded in {report.LoadSeconds * 1000:0} ms; digest {result.Adapter.Digest[..12]}"));
                console.WriteLine($"{path}: fits {loaded.Name}.");
            }
        });
        return verb;
    }
}

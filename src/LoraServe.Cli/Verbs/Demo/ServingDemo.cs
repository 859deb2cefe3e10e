using System.Diagnostics;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Loading;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Rendering;
using LoraServe.Client;
using LoraServe.Compute;
using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.Server;
using LoraServe.Server.Access;
using LoraServe.Server.Options;
using LoraServe.Server.Surfaces;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Studio.Benchmarks;
using LoraServe.V1;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Demo;

/// <summary>Serves adapters of the user's own model in one batch: those of a folder, or random ones.</summary>
internal static class ServingDemo
{
    private const int RandomAdapterCount = 4;
    private const int RandomAdapterRank = 8;
    private const int AnswerTokens = 32;
    private const int BatchRequests = 16;
    private const int BatchTokens = 24;
    private const int Rounds = 2;
    private const int MostAdapters = 6;

    /// <summary>Runs it.</summary>
    /// <param name="modelPath">A GGUF file or Hugging Face directory.</param>
    /// <param name="adapterRoot">A folder with LoRA adapters for it; null for random ones.</param>
    /// <param name="screen">What shows it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task RunAsync(string modelPath, string? adapterRoot, DemoScreen screen, CancellationToken cancellationToken)
    {
        NamedAdapter[] found = adapterRoot is null ? [] : AdaptersBelow(adapterRoot);
        screen.Say($"LoraServe: one frozen model, many adapters, one batch.");
        screen.Say($"Model: {modelPath}");
        using LoadedModel loaded = ModelArguments.Load(modelPath, Arithmetic.Fast, Environment.ProcessorCount);
        using RandomAdapterFiles? random = found.Length == 0 ? new RandomAdapterFiles(loaded.Transformer, RandomAdapterCount, RandomAdapterRank, RandomAdapters.Strong) : null;
        IReadOnlyList<NamedAdapter> adapters = random is null
            ? found
            : [.. random.Directories.Select(directory => new NamedAdapter(Path.GetFileName(directory), directory))];
        DirectoryInfo store = Directory.CreateTempSubdirectory("loraserve-");
        try
        {
            await ServeAsync(loaded, adapters, store.FullName, screen, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            store.Delete(recursive: true);
        }

        screen.Say($"Serve it yourself: loraserve serve --model {modelPath} --adapter NAME=DIR");
    }

    private static async Task ServeAsync(LoadedModel model, IReadOnlyList<NamedAdapter> adapters, string store, DemoScreen screen, CancellationToken cancellationToken)
    {
        await using var engine = new InferenceEngine(model, new EngineOptions { StoreFolder = store });
        var served = new ServedModel(model, engine, ChatFormat.Of(model.Text));
        await using LoraServeHost host = await LoraServeHost.StartAsync(
            served, new ServerOptions { Port = 0, HttpPort = 0 }, new AccessOptions(), cancellationToken: cancellationToken).ConfigureAwait(false);
        using var client = new LoraServeClient(host.Address);
        screen.Say($"Server: {host.Address} in this process. Uploading {adapters.Count} adapters over gRPC:");
        await PublishAsync(client, adapters, screen, cancellationToken).ConfigureAwait(false);

        string[] names = ["", .. adapters.Select(adapter => adapter.Name)];
        screen.Say($"One request for each, all in the same batch:");
        DemoAnswer[] answers = [.. names.Select(name => new DemoAnswer(DemoPrompts.For(model, name, AnswerTokens), DemoPrompts.Shown(model, name)))];
        await screen.WatchAsync(answers, Task.WhenAll(answers.Select(answer => answer.RunAsync(client, cancellationToken)))).ConfigureAwait(false);
        await CompareAsync(model, client, names[1..], screen, cancellationToken).ConfigureAwait(false);
    }

    private static async Task PublishAsync(LoraServeClient client, IReadOnlyList<NamedAdapter> adapters, DemoScreen screen, CancellationToken cancellationToken)
    {
        Table table = Terminal.Table("adapter", "method", ">rank", ">modules", ">memory", ">published in");
        foreach (NamedAdapter adapter in adapters)
        {
            LoadAdapterResponse published = await client.UploadAdapterAsync(adapter.Name, adapter.Path, cancellationToken: cancellationToken).ConfigureAwait(false);
            V1.LoadReport report = published.Report;
            table.AddText(
                $"{adapter.Name}@{published.Adapter.Version}",
                published.Adapter.Method,
                $"{report.MaxRank}",
                $"{report.MatchedModules}",
                Terminal.Bytes(report.ResidentBytes),
                FormattableString.Invariant($"{report.LoadSeconds * 1000:0} ms"));
        }

        screen.Show(table);
    }

    /// <summary>Runs the same batch with adapters and without in turns, so that both see the same machine, and takes the best of each.</summary>
    private static async Task CompareAsync(LoadedModel model, LoraServeClient client, string[] adapters, DemoScreen screen, CancellationToken cancellationToken)
    {
        (double with, double without) = (0, 0);
        for (int round = 0; round < Rounds; round++)
        {
            without = Math.Max(without, await TokensPerSecondAsync(model, client, adapters, applied: false, cancellationToken).ConfigureAwait(false));
            with = Math.Max(with, await TokensPerSecondAsync(model, client, adapters, applied: true, cancellationToken).ConfigureAwait(false));
        }

        screen.Say($"{BatchRequests} requests at once, {BatchTokens} tokens each:");
        screen.Say($"  {adapters.Length} adapters mixed   {with:0} tokens/s");
        screen.Say($"  no adapter         {without:0} tokens/s   (mixed is {with / without:0.00} of it)");
    }

    private static async Task<double> TokensPerSecondAsync(LoadedModel model, LoraServeClient client, string[] adapters, bool applied, CancellationToken cancellationToken)
    {
        DemoAnswer[] answers =
        [
            .. Enumerable.Range(0, BatchRequests).Select(i =>
            {
                // The prompt is the adapter's in both cases; all answers have the same length.
                string adapter = adapters[i % adapters.Length];
                GenerateRequest request = DemoPrompts.For(model, adapter, BatchTokens);
                request.Adapter = applied ? adapter : "";
                request.Sampling.IgnoreEos = true;
                request.Sampling.Stop.Clear();
                return new DemoAnswer(request, "");
            }),
        ];
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(answers.Select(answer => answer.RunAsync(client, cancellationToken))).ConfigureAwait(false);
        return answers.Sum(answer => answer.Tokens) / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static NamedAdapter[] AdaptersBelow(string root) =>
    [
        .. Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal)
            .Where(folder => File.Exists(Path.Combine(folder, AdapterFileNames.Config)) && AdapterInspection.Read(folder).Method == "LORA")
            .Select(folder => new NamedAdapter(Path.GetFileName(folder), folder))
            .Take(MostAdapters),
    ];
}

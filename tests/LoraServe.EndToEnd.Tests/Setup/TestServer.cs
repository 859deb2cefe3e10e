using LoraServe.Client;
using LoraServe.Compute;
using LoraServe.Cpu;
using LoraServe.Jobs;
using LoraServe.Jobs.Options;
using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.Server;
using LoraServe.Server.Access;
using LoraServe.Server.Options;
using LoraServe.Server.Surfaces;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Testing;
using LoraServe.Training;
using LoraServe.V1;
using Microsoft.Extensions.Logging;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>A server on a free port of this machine with its model, engine and a client.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly LoadedModel _model;
    private readonly List<LoraServeClient> _clients = [];
    private readonly bool _ownsFolder;
    private readonly Trainer? _trainer;

    private TestServer(TemporaryFolder folder, bool ownsFolder, LoadedModel model, InferenceEngine engine, Trainer? trainer, LoraServeHost host, ErrorLog log)
    {
        Log = log;
        _trainer = trainer;
        _folder = folder;
        _ownsFolder = ownsFolder;
        _model = model;
        Engine = engine;
        Host = host;
        Client = ClientWith(null);
    }

    public InferenceEngine Engine { get; }

    public LoraServeHost Host { get; }

    /// <summary>What the server logs; errors that a test does not name here fail it.</summary>
    public ErrorLog Log { get; }

    /// <summary>A client without a key.</summary>
    public LoraServeClient Client { get; }

    public string AdapterRoot => RootOf(_folder);

    /// <summary>Where uploads and the list of names are.</summary>
    public string StoreFolder => StoreOf(_folder);

    /// <summary>The folder of files that jobs can train on.</summary>
    public string DataRoot => _folder.At("data");

    /// <summary>A folder that callers cannot reach, for files that clients send.</summary>
    public string Outside => _folder.At("outside");

    /// <summary>Starts a server on a tiny model.</summary>
    public static async Task<TestServer> StartTinyAsync(
        Action<EngineOptions>? engine = null, Action<ServerOptions>? server = null, AccessOptions? access = null, TemporaryFolder? folder = null, bool trains = false)
    {
        TemporaryFolder own = folder ?? new TemporaryFolder();
        string model = own.At("model");
        if (!Directory.Exists(model))
        {
            TinyFiles.WriteModel(model);
        }

        return await StartAsync(model, Arithmetic.Exact, engine, server, access, own, ownsFolder: folder is null, trains);
    }

    /// <summary>Starts a server on a model of a test's choice.</summary>
    public static Task<TestServer> StartAsync(string model, Arithmetic arithmetic, Action<EngineOptions>? engine = null, bool trains = false) =>
        StartAsync(model, arithmetic, engine, null, null, new TemporaryFolder(), ownsFolder: true, trains);

    /// <summary>Another client, with a connection of its own. It tries nothing twice: tests see what the server says.</summary>
    public LoraServeClient ClientWith(string? key)
    {
        var client = new LoraServeClient(Host.Address, new LoraServeClientOptions { Key = key, MaxAttempts = 1 });
        _clients.Add(client);
        return client;
    }

    /// <summary>Writes an adapter for the tiny model below the adapter root.</summary>
    public string WriteAdapter(string name, int seed, int rank = 4) => TinyFiles.WriteAdapter(Path.Combine(AdapterRoot, name), seed, rank);

    /// <summary>Writes adapters for the tiny model below the root and loads them through the service.</summary>
    public async Task LoadAsync(params (string Name, int Seed)[] adapters)
    {
        foreach ((string name, int seed) in adapters)
        {
            WriteAdapter(name, seed);
            await Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = name, Path = name });
        }
    }

    public async Task<Answer> AskAsync(GenerateRequest request) => Answer.Of(await Client.Inference.GenerateAsync(request));

    /// <summary>Waits until no request holds anything.</summary>
    public Task IdleAsync() =>
        Eventually.TrueAsync(() => Engine.Status is { UsedPages: 0, RunningSequences: 0, QueuedRequests: 0 }, () => $"the engine is not idle: {Engine.Status}");

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await Host.DisposeAsync();
        _trainer?.Dispose();
        await Engine.DisposeAsync();
        _model.Dispose();
        if (_ownsFolder)
        {
            _folder.Dispose();
        }

        Log.Verify();
    }

    private static string RootOf(TemporaryFolder folder) => folder.At("adapters");

    private static string StoreOf(TemporaryFolder folder) => folder.At("adapters/.store");

    private static async Task<TestServer> StartAsync(
        string modelPath, Arithmetic arithmetic, Action<EngineOptions>? engine, Action<ServerOptions>? server, AccessOptions? access, TemporaryFolder folder, bool ownsFolder, bool trains)
    {
        var engineOptions = new EngineOptions
        {
            KvCacheBytes = 16 << 20,
            AdapterRoot = Directory.CreateDirectory(RootOf(folder)).FullName,
            StoreFolder = StoreOf(folder),
        };
        engine?.Invoke(engineOptions);
        var serverOptions = new ServerOptions { Port = 0, DrainTimeout = TimeSpan.FromSeconds(10) };
        server?.Invoke(serverOptions);
        LoadedModel model = ModelLoader.Load(CpuDevice.Instance, modelPath, new ModelLoadOptions { Arithmetic = arithmetic });
        var log = new ErrorLog();
        var inference = new InferenceEngine(model, engineOptions, log);
        Trainer? trainer = trains ? new Trainer(model.In(Arithmetic.Exact), new TrainerOptions { WorkerCount = 1 }) : null;
        var training = new TrainingOptions { StateFolder = folder.At("training"), DataRoot = Directory.CreateDirectory(folder.At("data")).FullName };
        var served = new ServedModel(model, inference, ChatFormat.Of(model.Text)) { Training = trainer is null ? null : new TrainingJobs(trainer, inference.Adapters, training, log) };
        LoraServeHost host = await LoraServeHost.StartAsync(served, serverOptions, access ?? new AccessOptions(), logging => logging.AddProvider(log));
        return new TestServer(folder, ownsFolder, model, inference, trainer, host, log);
    }
}

using System.Globalization;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using LoraServe.V1;
using Microsoft.Extensions.AI;

namespace LoraServe.Client;

/// <summary>A client of one LoraServe server. Thread-safe; use one for many calls.</summary>
/// <remarks>The generated clients are there for every call; the methods here are the ones that need more than one message.</remarks>
public sealed class LoraServeClient : IDisposable
{
    /// <summary>A chunk stays well below the server's default limit on a message.</summary>
    private const int UploadChunkBytes = 1 << 20;

    private const string AdapterConfig = "adapter_config.json";
    private const string AdapterIndex = "adapter_model.safetensors.index.json";
    private const string AdapterShards = "adapter_model-*.safetensors";
    private static readonly string[] s_weights = ["adapter_model.safetensors", "adapter.safetensors", "adapters.safetensors", "classifier.safetensors"];
    private static readonly string[] s_text = ["chat_template.jinja", "tokenizer_config.json", "special_tokens_map.json"];
    private readonly GrpcChannel? _channel;

    /// <summary>A client that connects at its first call.</summary>
    /// <param name="address">Such as <c>http://localhost:8080</c>, or <c>https://…</c> where the server has a certificate.</param>
    /// <param name="options">Key, limits and retry; null for the defaults.</param>
    public LoraServeClient(Uri address, LoraServeClientOptions? options = null)
        : this(Connect(address, options ?? new LoraServeClientOptions(), out GrpcChannel channel)) =>
        _channel = channel;

    /// <summary>A client over a channel of the caller's, who keeps it and says how it retries.</summary>
    /// <param name="invoker">Makes the calls, as <see cref="ChannelBase.CreateCallInvoker"/> does.</param>
    public LoraServeClient(CallInvoker invoker)
    {
        Inference = new Inference.InferenceClient(invoker);
        Adapters = new V1.Adapters.AdaptersClient(invoker);
        Training = new Training.TrainingClient(invoker);
    }

    /// <summary>All calls of <c>loraserve.v1.Inference</c>.</summary>
    public Inference.InferenceClient Inference { get; }

    /// <summary>All calls of <c>loraserve.v1.Adapters</c>.</summary>
    public V1.Adapters.AdaptersClient Adapters { get; }

    /// <summary>All calls of <c>loraserve.v1.Training</c>.</summary>
    public Training.TrainingClient Training { get; }

    /// <summary>Continues a prompt and yields text as it comes.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="adapter">A name, <c>name@version</c>, an alias or a stack such as <c>style:0.5+support</c>; empty for the base model.</param>
    /// <param name="sampling">How to choose tokens; null for the server's defaults.</param>
    /// <param name="cancellationToken">Ends the call, and its work on the server.</param>
    public async IAsyncEnumerable<string> StreamTextAsync(
        string prompt, string adapter = "", SamplingOptions? sampling = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = new GenerateRequest { Prompt = prompt, Adapter = adapter, Sampling = sampling };
        using AsyncServerStreamingCall<GenerateChunk> call = Inference.GenerateStream(request, cancellationToken: cancellationToken);
        await foreach (GenerateChunk chunk in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (chunk.Text.Length > 0)
            {
                yield return chunk.Text;
            }
        }
    }

    /// <summary>Sends a PEFT, AdapterHub or mlx-lm directory and publishes it as the next version of a name.</summary>
    /// <param name="name">The adapter's name.</param>
    /// <param name="directory">
    /// Holds <c>adapter_config.json</c> and <c>adapter_model.safetensors</c> or its shards, <c>adapter.safetensors</c> or <c>adapters.safetensors</c>,
    /// and its own chat template where it brings one. An X-LoRA adapter's has folders <c>0</c>, <c>1</c> … of the adapters that it is made of.
    /// </param>
    /// <param name="expectedVersion">Publishes only if this is the latest version now; 0: only if the name is new; null: in any case.</param>
    /// <param name="cancellationToken">Gives up; the server then keeps nothing.</param>
    public async Task<LoadAdapterResponse> UploadAdapterAsync(string name, string directory, uint? expectedVersion = null, CancellationToken cancellationToken = default)
    {
        using AsyncClientStreamingCall<UploadAdapterRequest, LoadAdapterResponse> call = Adapters.Upload(cancellationToken: cancellationToken);
        var header = new UploadHeader { Name = name };
        if (expectedVersion is { } expected)
        {
            header.ExpectedVersion = expected;
        }

        try
        {
            await call.RequestStream.WriteAsync(new UploadAdapterRequest { Header = header }, cancellationToken).ConfigureAwait(false);
            byte[] buffer = new byte[UploadChunkBytes];
            foreach (string file in FilesIn(directory))
            {
                await using FileStream stream = File.OpenRead(Path.Combine(directory, file));
                int count;
                while ((count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
                {
                    var chunk = new FileChunk { File = file, Data = ByteString.CopyFrom(buffer, 0, count) };
                    await call.RequestStream.WriteAsync(new UploadAdapterRequest { Chunk = chunk }, cancellationToken).ConfigureAwait(false);
                }
            }

            await call.RequestStream.CompleteAsync().ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // The server refused before all was sent; its answer says why.
        }

        return await call.ResponseAsync.ConfigureAwait(false);
    }

    /// <summary>Sends a JSONL file of rows to train or evaluate on.</summary>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Gives up; the server then keeps nothing.</param>
    /// <returns>Its id, for <see cref="TrainingData.UploadId"/>, and how many rows came.</returns>
    public async Task<UploadDataResponse> UploadDataAsync(string file, CancellationToken cancellationToken = default)
    {
        await using FileStream stream = File.OpenRead(file);
        using AsyncClientStreamingCall<UploadDataRequest, UploadDataResponse> call = Training.UploadData(cancellationToken: cancellationToken);
        try
        {
            await call.RequestStream.WriteAsync(new UploadDataRequest { Header = new UploadDataHeader { Filename = Path.GetFileName(file) } }, cancellationToken).ConfigureAwait(false);
            byte[] buffer = new byte[UploadChunkBytes];
            int count;
            while ((count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                await call.RequestStream.WriteAsync(new UploadDataRequest { Chunk = ByteString.CopyFrom(buffer, 0, count) }, cancellationToken).ConfigureAwait(false);
            }

            await call.RequestStream.CompleteAsync().ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // The server refused before all was sent; its answer says why.
        }

        return await call.ResponseAsync.ConfigureAwait(false);
    }

    /// <summary>Sends the rows of a file, and starts a job on them.</summary>
    /// <param name="file">A JSONL file.</param>
    /// <param name="request">Everything else; its training data are set here.</param>
    /// <param name="cancellationToken">Gives up before the job is started.</param>
    /// <returns>The job as it was taken in.</returns>
    public async Task<TrainingJob> StartTrainingAsync(string file, StartTrainingRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        UploadDataResponse upload = await UploadDataAsync(file, cancellationToken).ConfigureAwait(false);
        request = request.Clone();
        request.TrainingData = new TrainingData { UploadId = upload.UploadId };
        return await Training.StartAsync(request, cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lets a job that failed or was cancelled go on from its last checkpoint, as long as the server keeps its rows and checkpoints.</summary>
    /// <param name="id">The job; see <see cref="TrainingJob.ResumableUntil"/>.</param>
    /// <param name="cancellationToken">Gives up; the job may go on all the same.</param>
    /// <returns>The job, which waits again.</returns>
    public async Task<TrainingJob> ResumeTrainingAsync(string id, CancellationToken cancellationToken = default) =>
        await Training.ResumeAsync(new ResumeTrainingRequest { Id = id }, cancellationToken: cancellationToken).ConfigureAwait(false);

    /// <summary>Yields a job's steps as it takes them.</summary>
    /// <param name="id">The job.</param>
    /// <param name="includePast">Begins with the steps taken so far.</param>
    /// <param name="cancellationToken">Ends watching; the job goes on.</param>
    /// <returns>Its steps, and the job itself first, whenever its status changes, and last.</returns>
    public async IAsyncEnumerable<TrainingEvent> WatchTrainingAsync(string id, bool includePast = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using AsyncServerStreamingCall<TrainingEvent> call = Training.Watch(new WatchTrainingRequest { Id = id, IncludePast = includePast }, cancellationToken: cancellationToken);
        await foreach (TrainingEvent happened in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return happened;
        }
    }

    /// <summary>Waits until a job has ended.</summary>
    /// <param name="id">The job.</param>
    /// <param name="progress">Told each step; null for nobody.</param>
    /// <param name="cancellationToken">Ends waiting; the job goes on.</param>
    /// <returns>The job as it ended: look at its status.</returns>
    public async Task<TrainingJob> WaitForTrainingAsync(string id, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        TrainingJob? last = null;
        await foreach (TrainingEvent happened in WatchTrainingAsync(id, cancellationToken: cancellationToken).ConfigureAwait(false))
        {
            last = happened.Job ?? last;
            if (happened.Progress is { } step)
            {
                progress?.Report(step);
            }
        }

        return last ?? throw new InvalidOperationException($"The server said nothing about job '{id}'.");
    }

    /// <summary>This server as a chat client of Microsoft.Extensions.AI; <see cref="ChatOptions.ModelId"/> names the adapter.</summary>
    /// <param name="adapter">The adapter where a call names none; empty for the base model.</param>
    public IChatClient AsChatClient(string adapter = "") => new AdapterChatClient(this, adapter);

    /// <inheritdoc />
    public void Dispose() => _channel?.Dispose();

    private static CallInvoker Connect(Uri address, LoraServeClientOptions options, out GrpcChannel channel)
    {
        ArgumentNullException.ThrowIfNull(address);
        var settings = new GrpcChannelOptions { HttpHandler = Connection.Handler(options), DisposeHttpClient = true };
        Connection.Configure(settings, options);
        channel = GrpcChannel.ForAddress(address, settings);
        return options.Key is { } key ? channel.Intercept(new KeyInterceptor(key)) : channel.CreateCallInvoker();
    }

    private static IEnumerable<string> FilesIn(string directory)
    {
        IEnumerable<string> inner = Enumerable.Range(0, int.MaxValue)
            .Select(number => number.ToString(CultureInfo.InvariantCulture))
            .TakeWhile(folder => File.Exists(Path.Combine(directory, folder, AdapterConfig)));
        return [.. OwnFilesIn(directory), .. inner.SelectMany(folder => OwnFilesIn(Path.Combine(directory, folder)).Select(file => $"{folder}/{file}"))];
    }

    private static IEnumerable<string> OwnFilesIn(string directory) =>
        [AdapterConfig, .. WeightsIn(directory), .. s_text.Where(name => File.Exists(Path.Combine(directory, name)))];

    private static IEnumerable<string> WeightsIn(string directory)
    {
        if (s_weights.FirstOrDefault(name => File.Exists(Path.Combine(directory, name))) is { } whole)
        {
            return [whole];
        }

        string[] shards = [.. Directory.EnumerateFiles(directory, AdapterShards).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
        string[] index = File.Exists(Path.Combine(directory, AdapterIndex)) ? [AdapterIndex] : [];
        return shards.Length > 0 ? [.. index, .. shards] : [s_weights[0]];
    }
}

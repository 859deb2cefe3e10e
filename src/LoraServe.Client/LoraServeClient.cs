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

    private static readonly string[] s_adapterFiles = ["adapter_config.json", "adapter_model.safetensors"];
    private readonly GrpcChannel _channel;

    /// <summary>A client that connects at its first call.</summary>
    /// <param name="address">Such as <c>http://localhost:8080</c>, or <c>https://…</c> where the server has a certificate.</param>
    /// <param name="options">Key and limits; null for the defaults.</param>
    public LoraServeClient(Uri address, LoraServeClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        options ??= new LoraServeClientOptions();
        var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true };
        handler.SslOptions.RemoteCertificateValidationCallback = options.CertificateValidation;
        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = options.MaxReceiveMessageBytes,
        });
        CallInvoker invoker = options.Key is { } key ? _channel.Intercept(new KeyInterceptor(key)) : _channel.CreateCallInvoker();
        Inference = new Inference.InferenceClient(invoker);
        Adapters = new V1.Adapters.AdaptersClient(invoker);
    }

    /// <summary>All calls of <c>loraserve.v1.Inference</c>.</summary>
    public Inference.InferenceClient Inference { get; }

    /// <summary>All calls of <c>loraserve.v1.Adapters</c>.</summary>
    public V1.Adapters.AdaptersClient Adapters { get; }

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

    /// <summary>Sends a PEFT directory and publishes it as the next version of a name.</summary>
    /// <param name="name">The adapter's name.</param>
    /// <param name="directory">Holds <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</param>
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
            foreach (string file in s_adapterFiles)
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

    /// <summary>This server as a chat client of Microsoft.Extensions.AI; <see cref="ChatOptions.ModelId"/> names the adapter.</summary>
    /// <param name="adapter">The adapter where a call names none; empty for the base model.</param>
    public IChatClient AsChatClient(string adapter = "") => new AdapterChatClient(this, adapter);

    /// <inheritdoc />
    public void Dispose() => _channel.Dispose();
}

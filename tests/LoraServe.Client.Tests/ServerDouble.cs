using System.Net;
using Grpc.Core;
using LoraServe.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoraServe.Client.Tests;

/// <summary>A server on a free loopback port that keeps what it is sent and answers what it is told.</summary>
internal sealed class ServerDouble : IAsyncDisposable
{
    private readonly WebApplication _application;

    private ServerDouble(WebApplication application) => _application = application;

    public Conversation Conversation => _application.Services.GetRequiredService<Conversation>();

    public static async Task<ServerDouble> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddSingleton<Conversation>();
        builder.Services.AddGrpc();
        WebApplication application = builder.Build();
        application.MapGrpcService<InferenceDouble>();
        application.MapGrpcService<AdaptersDouble>();
        application.MapGrpcService<TrainingDouble>();
        await application.StartAsync();
        return new ServerDouble(application);
    }

    public Uri Address => new(_application.Urls.Single());

    public LoraServeClient Connect(string? key = null) => new(Address, new LoraServeClientOptions { Key = key });

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private sealed class InferenceDouble(Conversation conversation) : Inference.InferenceBase
    {
        public override Task<GenerateResponse> Chat(ChatRequest request, ServerCallContext context)
        {
            conversation.Hear(request, context);
            return Task.FromResult(conversation.Answer);
        }

        public override Task ChatStream(ChatRequest request, IServerStreamWriter<GenerateChunk> responseStream, ServerCallContext context) =>
            SendAsync(conversation, request, responseStream, context);

        public override Task GenerateStream(GenerateRequest request, IServerStreamWriter<GenerateChunk> responseStream, ServerCallContext context) =>
            SendAsync(conversation, request, responseStream, context);

        private static async Task SendAsync(Conversation conversation, object request, IServerStreamWriter<GenerateChunk> stream, ServerCallContext context)
        {
            conversation.Hear(request, context);
            foreach (GenerateChunk chunk in conversation.Chunks)
            {
                await stream.WriteAsync(chunk);
            }

            if (conversation.StreamFailure is { } failure)
            {
                throw failure;
            }
        }
    }

    private sealed class AdaptersDouble(Conversation conversation) : V1.Adapters.AdaptersBase
    {
        public override async Task<LoadAdapterResponse> Upload(IAsyncStreamReader<UploadAdapterRequest> requestStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                conversation.Hear(requestStream.Current, context);
                if (conversation.Refusal is { } refusal)
                {
                    throw new RpcException(refusal);
                }
            }

            return new LoadAdapterResponse { Adapter = new Adapter { Name = "uploaded", Version = 7 } };
        }
    }

    private sealed class TrainingDouble(Conversation conversation) : Training.TrainingBase
    {
        public override async Task<UploadDataResponse> UploadData(IAsyncStreamReader<UploadDataRequest> requestStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                conversation.Hear(requestStream.Current, context);
                if (conversation.Refusal is { } refusal)
                {
                    throw new RpcException(refusal);
                }
            }

            return new UploadDataResponse { UploadId = "data-7" };
        }

        public override Task<TrainingJob> Start(StartTrainingRequest request, ServerCallContext context)
        {
            conversation.Hear(request, context);
            return Task.FromResult(new TrainingJob { Id = "job-7", Request = request });
        }

        public override async Task Watch(WatchTrainingRequest request, IServerStreamWriter<TrainingEvent> responseStream, ServerCallContext context)
        {
            conversation.Hear(request, context);
            foreach (TrainingEvent happened in conversation.Events)
            {
                await responseStream.WriteAsync(happened);
            }
        }
    }
}

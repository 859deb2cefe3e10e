using LoraServe.Server.Options;
using LoraServe.Server.Surfaces.Grpc.Adapters;
using LoraServe.Server.Surfaces.Grpc.Calls;
using LoraServe.Server.Surfaces.Grpc.Errors;
using LoraServe.Server.Surfaces.Grpc.Inference;
using LoraServe.Server.Surfaces.Grpc.Training;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc;

/// <summary>The services of <c>loraserve.v1</c>, with reflection and gRPC's health service.</summary>
internal static class GrpcSurface
{
    /// <summary>What gRPC's health checks may ask for beside the empty name, which is the whole server.</summary>
    private static readonly string[] s_services = [Proto.Inference.Descriptor.FullName, Proto.Adapters.Descriptor.FullName, Proto.Training.Descriptor.FullName];

    public static void AddTo(WebApplicationBuilder builder, ServerOptions options)
    {
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.MaxReceiveMessageBytes;
            grpc.Interceptors.Add<ErrorInterceptor>();
            grpc.Interceptors.Add<AccessInterceptor>();
        });
        builder.Services.AddGrpcReflection();
        builder.Services.AddGrpcHealthChecks(grpc => Array.ForEach(s_services, service => grpc.Services.Map(service, _ => true)));
        CallPipeline.AddTo(builder);
    }

    public static void Map(WebApplication application, ServerOptions options)
    {
        CallPipeline.Use(application, options);
        application.MapGrpcService<InferenceService>();
        application.MapGrpcService<AdaptersService>();
        application.MapGrpcService<TrainingService>();
        application.MapGrpcReflectionService();
        application.MapGrpcHealthChecksService();
    }
}

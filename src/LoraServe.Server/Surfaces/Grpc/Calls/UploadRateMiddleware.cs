using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LoraServe.Server.Surfaces.Grpc.Calls;

/// <summary>Ends streams of messages whose sender has fallen silent. Kestrel bounds the rate of other requests; Grpc.AspNetCore lifts that bound for streams.</summary>
internal sealed class UploadRateMiddleware(RequestDelegate next, TimeSpan longestPause, TimeProvider time)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming)
        {
            context.Features.Set<IRequestBodyPipeFeature>(new RatedBody(new RatedPipeReader(context.Request.BodyReader, longestPause, time)));
        }

        return next(context);
    }

    private sealed record RatedBody(System.IO.Pipelines.PipeReader Reader) : IRequestBodyPipeFeature;
}

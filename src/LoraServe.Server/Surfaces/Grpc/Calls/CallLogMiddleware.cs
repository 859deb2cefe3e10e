using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LoraServe.Server.Surfaces.Grpc.Calls;

/// <summary>Writes one line into the log for each call that has ended, with the status that its caller gets.</summary>
internal sealed partial class CallLogMiddleware(RequestDelegate next, ILogger<CallLogMiddleware> logger, TimeProvider time)
{
    public async Task InvokeAsync(HttpContext context)
    {
        long began = time.GetTimestamp();
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            // A path that names no method of ours is the caller's text, and stays out of the log.
            string method = context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.FullName ?? "a method that does not exist";
            RequestContext? call = RequestContext.Find(context.Items);

            // Probes come every few seconds and say nothing new.
            LogLevel level = method.StartsWith("/grpc.", StringComparison.Ordinal) ? LogLevel.Debug : LogLevel.Information;
            StatusCode status = CallStatus.Of(context);
            double milliseconds = time.GetElapsedTime(began).TotalMilliseconds;
            LogCall(level, method, status, call?.Caller.Tenant ?? "", milliseconds, call?.RequestId ?? "");
        }
    }
}

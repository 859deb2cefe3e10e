using LoraServe.Server.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LoraServe.Server.Surfaces.Grpc.Calls;

/// <summary>What surrounds every gRPC call, outside of Grpc.AspNetCore: what that package leaves to its host, or says less well.</summary>
internal static class CallPipeline
{
    public static void AddTo(WebApplicationBuilder builder)
    {
        // Has each damaged message as an error with a stack trace; what is worth a line, UnreadMiddleware and ErrorInterceptor say.
        builder.Logging.AddFilter("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.None);
    }

    public static void Use(WebApplication application, ServerOptions options) =>
        application.UseWhen(IsCall, calls => calls
            .UseMiddleware<CallLogMiddleware>()
            .UseMiddleware<UnreadMiddleware>(options.MaxReceiveMessageBytes)
            .UseMiddleware<DeadlineMiddleware>()
            .UseMiddleware<StoppingMiddleware>()
            .UseMiddleware<UploadRateMiddleware>(options.MaxUploadPause));

    private static bool IsCall(HttpContext context) => context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) ?? false;
}

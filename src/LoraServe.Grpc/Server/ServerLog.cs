using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace LoraServe.Grpc.Server;

/// <summary>What the server's side of gRPC logs.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Error, "The handler of {Method} failed unexpectedly.")]
    public static partial void HandlerFailed(ILogger logger, string method, Exception exception);

    [LoggerMessage(2, LogLevel.Debug, "{Method} ended with {StatusCode}: {Detail}")]
    public static partial void CallFailed(ILogger logger, string method, StatusCode statusCode, string detail);

    [LoggerMessage(3, LogLevel.Error, "Cancelling {Method} at its deadline failed.")]
    public static partial void CancellationFailed(ILogger logger, string method, Exception exception);
}

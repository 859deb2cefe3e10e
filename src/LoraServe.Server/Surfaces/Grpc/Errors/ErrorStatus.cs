using System.Globalization;
using Grpc.Core;

namespace LoraServe.Server.Surfaces.Grpc.Errors;

/// <summary>Refusals as gRPC's statuses.</summary>
internal static class ErrorStatus
{
    /// <summary>Metadata that says after how many milliseconds a refused request may come back, as gRPC's retry policies read it.</summary>
    public const string RetryHeader = "grpc-retry-pushback-ms";

    /// <summary>The status that a caller gets; null for a fault of the server.</summary>
    public static RpcException? Of(Exception failure)
    {
        if (Refusals.Of(failure) is not { } refusal)
        {
            return null;
        }

        var trailers = new Metadata();
        if (refusal.RetryAfter is { } wait)
        {
            trailers.Add(RetryHeader, ((long)Math.Ceiling(wait.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture));
        }

        return new RpcException(new Status(Refusals.NamesOf(refusal.Error).Grpc, refusal.Message), trailers);
    }
}

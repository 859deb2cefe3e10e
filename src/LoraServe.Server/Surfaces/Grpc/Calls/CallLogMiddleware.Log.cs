using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace LoraServe.Server.Surfaces.Grpc.Calls;

internal sealed partial class CallLogMiddleware
{
    [LoggerMessage(EventId = 1, Message = "{Method}: {Status} for tenant '{Tenant}' in {Milliseconds:0.0} ms, request '{RequestId}'.")]
    private partial void LogCall(LogLevel level, string method, StatusCode status, string tenant, double milliseconds, string requestId);
}

using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LoraServe.Server.Surfaces.Grpc.Calls;

/// <summary>
/// Says what was wrong with a message that never reached a service: Grpc.AspNetCore names no limit, and calls everything else an exception
/// that a handler threw.
/// </summary>
internal sealed partial class UnreadMiddleware(RequestDelegate next, int limitBytes, ILogger<UnreadMiddleware> logger)
{
    private const string WithoutLimit = "Received message exceeds the maximum configured message size.";

    public async Task InvokeAsync(HttpContext context)
    {
        await next(context).ConfigureAwait(false);
        if (context.Features.Get<IServerCallContextFeature>()?.ServerCallContext is not { } call)
        {
            return;
        }

        switch (call.Status)
        {
            case { StatusCode: StatusCode.ResourceExhausted, Detail: WithoutLimit }:
                CallStatus.Set(
                    context, StatusCode.ResourceExhausted,
                    $"The message has more than the {limitBytes} bytes that the server takes. Send less at once: what is uploaded comes in many messages. LoraServe:Server:MaxReceiveMessageBytes is the limit.");
                CallStatus.ForbidRetry(context);
                break;

            case { StatusCode: StatusCode.Unknown, DebugException: InvalidProtocolBufferException or InvalidDataException or IOException }:
                CallStatus.Set(context, StatusCode.Internal, $"The message is not one that {call.Method} takes: it is cut short, damaged or of another schema.");
                break;

            // What services throw has a status; this was thrown around them, and not because the caller went away.
            case { StatusCode: StatusCode.Unknown, DebugException: { } fault and not OperationCanceledException }:
                LogFault(call.Method, fault);
                CallStatus.Set(context, StatusCode.Internal, "The server failed on this call; its log says why.");
                break;
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "Call of {Method} failed outside of its service.")]
    private partial void LogFault(string method, Exception fault);
}

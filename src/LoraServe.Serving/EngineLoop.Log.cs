using Microsoft.Extensions.Logging;

namespace LoraServe.Serving;

internal sealed partial class EngineLoop
{
    [LoggerMessage(EventId = 1, Level = LogLevel.Debug, Message = "Request {RequestId} ended: {Outcome}, {GeneratedTokens} tokens.")]
    private partial void LogEnded(string requestId, string outcome, int generatedTokens);

    [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "A step of {Sequences} sequences failed; each is tried alone.")]
    private partial void LogStepFailed(Exception failure, int sequences);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "Request {RequestId} failed in a step.")]
    private partial void LogRequestFailed(Exception failure, string requestId);

    [LoggerMessage(EventId = 4, Level = LogLevel.Information, Message = "The engine stops: {Requests} requests are cut off.")]
    private partial void LogCutOff(int requests);
}

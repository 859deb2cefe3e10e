using LoraServe.Serving.Store.Residency;
using Microsoft.Extensions.Logging;

namespace LoraServe.Serving.Store;

public sealed partial class AdapterStore
{
    [LoggerMessage(EventId = 21, Level = LogLevel.Information, Message = "Adapter {Adapter} published: {Method}, rank {Rank}, {ResidentBytes} bytes, probe change {ProbeChange}, {Seconds} s.")]
    private partial void LogPublished(AdapterVersion adapter, string method, int rank, long residentBytes, double probeChange, double seconds);

    [LoggerMessage(EventId = 22, Level = LogLevel.Information, Message = "Adapter {Adapter} unloaded.")]
    private partial void LogUnloaded(AdapterVersion adapter);

    [LoggerMessage(EventId = 23, Level = LogLevel.Information, Message = "Alias {Alias} points to {Target}.")]
    private partial void LogAlias(string alias, string target);

    [LoggerMessage(EventId = 24, Level = LogLevel.Warning, Message = "Adapter {Adapter} could not be loaded: {Reason}")]
    private partial void LogLoadFailed(string adapter, string reason);

    [LoggerMessage(EventId = 25, Level = LogLevel.Debug, Message = "Adapter {Adapter} is {State}.")]
    private partial void LogMoved(AdapterVersion adapter, AdapterEventType state);
}

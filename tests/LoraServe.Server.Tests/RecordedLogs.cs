using Microsoft.Extensions.Logging;

namespace LoraServe.Server.Tests;

/// <summary>Keeps what all loggers log.</summary>
internal sealed class RecordedLogs(RecordedLog<object> log) : ILoggerFactory
{
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("This is where everything goes.");

    public ILogger CreateLogger(string categoryName) => log;

    public void Dispose()
    {
    }
}

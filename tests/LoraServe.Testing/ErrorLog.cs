using Microsoft.Extensions.Logging;

namespace LoraServe.Testing;

/// <summary>
/// A log that fails the test: <see cref="Verify"/> throws if an error was logged, or a warning of ours, that the test did not expect, or if
/// one that it expected never came.
/// </summary>
/// <remarks>What a server logs as an error is what somebody is woken for: a test that provokes one says so, and everything else has none.</remarks>
public sealed class ErrorLog : ILoggerProvider, ILoggerFactory
{
    private const string Ours = "LoraServe.";

    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<string> _errors = [];
    private readonly List<string> _expected = [];
    private readonly List<string> _allowed = [];

    /// <summary>Everything that was logged at information level and above, in order: level, category and text.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Names an error that the test provokes.</summary>
    /// <param name="words">Part of its line or of its exception; it may come any number of times, and must come once.</param>
    public void Expect(string words)
    {
        lock (_lock)
        {
            _expected.Add(words);
        }
    }

    /// <summary>Names an error that may come of what the test does, or not.</summary>
    /// <param name="words">Part of its line or of its exception.</param>
    public void Allow(string words)
    {
        lock (_lock)
        {
            _allowed.Add(words);
        }
    }

    /// <summary>To be called when what logs has ended.</summary>
    /// <exception cref="InvalidOperationException">Something unexpected was logged, or something expected was not.</exception>
    public void Verify()
    {
        lock (_lock)
        {
            string[] unexpected = [.. _errors.Where(error => !_expected.Concat(_allowed).Any(words => error.Contains(words, StringComparison.Ordinal)))];
            string[] missing = [.. _expected.Where(words => !_errors.Exists(error => error.Contains(words, StringComparison.Ordinal))).Select(words => $"never logged: {words}")];
            if (unexpected.Length + missing.Length > 0)
            {
                throw new InvalidOperationException($"The log is not as this test expects it (ErrorLog.Expect and Allow name what it provokes):\n{string.Join('\n', unexpected.Concat(missing))}");
            }
        }
    }

    /// <inheritdoc />
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <inheritdoc />
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("This log has no other places to write to.");

    /// <inheritdoc />
    public void Dispose()
    {
        // Loggers may outlive the factory that made them; what they still write counts.
    }

    private void Add(LogLevel level, string category, string text, Exception? exception)
    {
        string line = $"{level} {category}: {text}";
        lock (_lock)
        {
            _lines.Add(line);
            if (level >= LogLevel.Error || (level == LogLevel.Warning && category.StartsWith(Ours, StringComparison.Ordinal)))
            {
                _errors.Add(exception is null ? line : $"{line}\n{exception}");
            }
        }
    }

    private sealed class Logger(ErrorLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Information and not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log.Add(logLevel, category, formatter(state, exception), exception);
            }
        }
    }
}

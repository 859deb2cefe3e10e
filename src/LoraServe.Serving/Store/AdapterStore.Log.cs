using LoraServe.Serving.Store.Versions;
using Microsoft.Extensions.Logging;

namespace LoraServe.Serving.Store;

public sealed partial class AdapterStore
{
    [LoggerMessage(EventId = 21, Level = LogLevel.Information, Message = "Adapter {Adapter} published: {Method}, rank {Rank}, {ResidentBytes} bytes, probe change {ProbeChange}, {Seconds} s.")]
    private partial void LogPublished(AdapterVersion adapter, string method, int rank, long residentBytes, double probeChange, double seconds);

    [LoggerMessage(EventId = 35, Level = LogLevel.Information, Message = "Adapter {Adapter}: {Note}")]
    private partial void LogNote(AdapterVersion adapter, string note);

    [LoggerMessage(EventId = 22, Level = LogLevel.Information, Message = "Adapter {Adapter} unloaded.")]
    private partial void LogUnloaded(AdapterVersion adapter);

    [LoggerMessage(EventId = 23, Level = LogLevel.Information, Message = "Alias {Alias} points to '{Target}'.")]
    private partial void LogAlias(string alias, string target);

    [LoggerMessage(EventId = 24, Level = LogLevel.Warning, Message = "Adapter {Adapter} could not be loaded: {Reason}")]
    private partial void LogLoadFailed(string adapter, string reason);

    [LoggerMessage(EventId = 25, Level = LogLevel.Debug, Message = "Adapter {Adapter} is {State}.")]
    private partial void LogMoved(AdapterVersion adapter, AdapterEventType state);

    [LoggerMessage(EventId = 27, Level = LogLevel.Error, Message = "A change of names, or its files, could not be written, and is undone.")]
    private partial void LogNotSaved(Exception? failure);

    [LoggerMessage(EventId = 28, Level = LogLevel.Error, Message = "The list of adapters is damaged. {Damage}")]
    private partial void LogDamaged(string damage);

    [LoggerMessage(EventId = 29, Level = LogLevel.Warning, Message = "Adapter {Adapter} has no files any more: {Path} is not there. Put them back, or unload it.")]
    private partial void LogFilesGone(AdapterVersion adapter, string path);

    [LoggerMessage(EventId = 30, Level = LogLevel.Information, Message = "{Count} folders of uploads that no adapter has are deleted.")]
    private partial void LogSwept(int count);

    [LoggerMessage(EventId = 31, Level = LogLevel.Warning, Message = "The folder {Folder} is no adapter's. It stays, for a list that was damaged or because it could not be deleted.")]
    private partial void LogNotSwept(string folder);

    [LoggerMessage(EventId = 32, Level = LogLevel.Error, Message = "The store is read-only: {Reason}")]
    private partial void LogReadOnly(string reason);

    [LoggerMessage(EventId = 33, Level = LogLevel.Warning, Message = "The files of adapter {Adapter} were replaced by some that cannot be served, so it stays: {Reason}")]
    private partial void LogNotReplaced(AdapterVersion adapter, string reason);

    [LoggerMessage(EventId = 34, Level = LogLevel.Warning, Message = "What adapter {Name} brings of text cannot be read, so conversations with it are refused: {Reason}")]
    private partial void LogTextUnread(string name, string reason);
}

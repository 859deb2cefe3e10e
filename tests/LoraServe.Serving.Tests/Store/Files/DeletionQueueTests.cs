using LoraServe.Serving.Store.Files;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoraServe.Serving.Tests.Store.Files;

public class DeletionQueueTests
{
    [Fact]
    public void Dispose_FoldersWaiting_DeletesThemAll()
    {
        string root = Directory.CreateTempSubdirectory("loraserve-").FullName;
        string[] folders = [.. Enumerable.Range(0, 20).Select(i => Directory.CreateDirectory(Path.Combine(root, $"{i}", "deep")).Parent!.FullName)];
        using (var queue = new DeletionQueue(Delete, NullLogger.Instance))
        {
            Array.ForEach(folders, queue.Add);
            queue.Add(Path.Combine(root, "never there"));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(root));
        Directory.Delete(root);
    }

    [Fact]
    public void Add_WhatCannotBeDeleted_IsLoggedAndTheNextIsDeleted()
    {
        string root = Directory.CreateTempSubdirectory("loraserve-").FullName;
        string file = Path.Combine(root, "file");
        File.WriteAllText(file, ""); // not a folder
        string folder = Directory.CreateDirectory(Path.Combine(root, "folder")).FullName;
        var log = new CountingLogger();
        using (var queue = new DeletionQueue(Delete, log))
        {
            queue.Add(file);
            queue.Add(folder);
        }

        Assert.Equal(1, log.Warnings);
        Assert.Equal([file], Directory.EnumerateFileSystemEntries(root));
        Directory.Delete(root, recursive: true);
    }

    private static void Delete(string folder) => Directory.Delete(folder, recursive: true);

    private sealed class CountingLogger : ILogger
    {
        public int Warnings { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Warnings += logLevel == LogLevel.Warning ? 1 : 0;
    }
}

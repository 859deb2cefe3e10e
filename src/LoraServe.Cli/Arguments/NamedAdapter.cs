using LoraServe.Adapters;
using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Rendering;
using LoraServe.Serving;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store;

namespace LoraServe.Cli.Arguments;

/// <summary>An adapter given as <c>NAME=DIR</c>, or as <c>DIR</c> alone, whose last part is its name then; of one of several tasks as <c>DIR#2</c>.</summary>
/// <param name="Name">What requests call it.</param>
/// <param name="Path">Its PEFT directory or GGUF file.</param>
/// <param name="Task">Which of its tasks; null where none is named.</param>
internal sealed record NamedAdapter(string Name, string Path, int? Task = null)
{
    /// <summary>How a request asks for it.</summary>
    public AdapterReference Reference => new(Name, Task: Task);

    /// <exception cref="UsageException">A text has not that form, or a name comes twice.</exception>
    public static NamedAdapter[] ParseAll(IEnumerable<string> texts)
    {
        NamedAdapter[] all = [.. texts.Select(Parse)];
        string? twice = all.GroupBy(adapter => adapter.Name).FirstOrDefault(same => same.Count() > 1)?.Key;
        return twice is null ? all : throw new UsageException($"--adapter has the name '{twice}' more than once; each adapter needs its own.");
    }

    /// <summary>Publishes adapters in order, and says what is unusual about them.</summary>
    public static async Task<PublishResult[]> PublishAsync(IEnumerable<NamedAdapter> adapters, InferenceEngine engine, TextWriter errors, CancellationToken cancellationToken)
    {
        var results = new List<PublishResult>();
        foreach (NamedAdapter adapter in adapters)
        {
            results.Add(await engine.Adapters.PublishAsync(Principal.Operator, adapter.Name, adapter.Path, cancellationToken: cancellationToken).ConfigureAwait(false));
            AdapterNotes.Write(results[^1].Report.Adapter, errors);
        }

        return [.. results];
    }

    /// <exception cref="UsageException">The text has neither form.</exception>
    public static NamedAdapter Parse(string text)
    {
        // A path that is there is meant as it is, whatever it is called.
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        bool isThere = System.IO.Path.Exists(text) || System.IO.Path.Exists(text[(equals + 1)..]);
        if (!isThere && AdapterTask.TrySplit(text, out string adapter, out int? task) && task is not null)
        {
            return Parse(adapter) with { Task = task };
        }

        if (equals >= 0 && !System.IO.Path.Exists(text))
        {
            return equals > 0 && equals < text.Length - 1
                ? new NamedAdapter(text[..equals], text[(equals + 1)..])
                : throw new UsageException($"--adapter is '{text}'; expected NAME=DIR, such as support=./adapters/support, or DIR alone.");
        }

        if (text.Length == 0)
        {
            throw new UsageException("--adapter is empty; expected NAME=DIR, such as support=./adapters/support, or DIR alone.");
        }

        string file = System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(text)));
        return new NamedAdapter(file.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? System.IO.Path.GetFileNameWithoutExtension(file) : file, text);
    }
}

namespace LoraServe.Cli;

/// <summary>An adapter given as <c>NAME=DIR</c>.</summary>
/// <param name="Name">What requests call it.</param>
/// <param name="Path">Its PEFT directory or GGUF file.</param>
internal sealed record NamedAdapter(string Name, string Path)
{
    /// <exception cref="UsageException">The text has not that form.</exception>
    public static NamedAdapter Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && equals < text.Length - 1
            ? new NamedAdapter(text[..equals], text[(equals + 1)..])
            : throw new UsageException($"--adapter is '{text}'; expected NAME=DIR, such as support=./adapters/support.");
    }
}

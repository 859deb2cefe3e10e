namespace LoraServe.Adapters.Files;

/// <summary>The files with the chat template that an adapter brings: part of what it is, so part of its digest. What they say is no business of the edits.</summary>
internal static class AdapterText
{
    private const int MaximumBytes = 64 << 20;
    private const string Further = "additional_chat_templates";

    /// <summary>The files' bytes in a fixed order; none where the directory brings no chat template.</summary>
    public static IEnumerable<byte[]> Read(string directory)
    {
        string[] templates = Directory.Exists(Path.Combine(directory, Further)) ? [.. Directory.GetFiles(Path.Combine(directory, Further), "*.jinja").Order(StringComparer.Ordinal)] : [];
        (string Name, byte[] Bytes)[] files = [.. AdapterFileNames.Text.Where(name => File.Exists(Path.Combine(directory, name))).Select(name => (name, Bytes(Path.Combine(directory, name))))];
        bool brings = templates.Length > 0 || files.Any(file => file.Name == AdapterFileNames.Text[0] || file.Bytes.AsSpan().IndexOf("\"chat_template\""u8) >= 0);
        return brings ? files.Select(file => file.Bytes).Concat(templates.Select(Bytes)) : [];
    }

    private static byte[] Bytes(string path) => AdapterFiles.ReadFile(path, MaximumBytes, "Leave it out, or save the adapter again.");
}

using System.Text;

namespace LoraServe.Compute.Files;

/// <summary>Tells what a file holds that is not what its name says: what clones and downloads leave behind, and files of other formats.</summary>
public static class ForeignContent
{
    private const int BytesLookedAt = 512;
    private const string PointerBegin = "version https://git-lfs.github.com/spec/";

    /// <summary>What the file is and what to do, to follow "it is"; null where nothing is recognised.</summary>
    /// <param name="begin">The file's first bytes, or all of them.</param>
    public static string? Describe(ReadOnlySpan<byte> begin)
    {
        string text = Encoding.Latin1.GetString(begin[..Math.Min(begin.Length, BytesLookedAt)]);
        string trimmed = text.TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        return trimmed.StartsWith(PointerBegin, StringComparison.Ordinal) ? $"a Git LFS pointer{SizeOf(trimmed)}, not the file itself: fetch that with 'git lfs pull', or download it"
            : IsHtml(trimmed) ? "a web page: download the file itself"
            : text.StartsWith("GGUF", StringComparison.Ordinal) ? "a GGUF file: give its own path"
            : text.StartsWith("PK\u0003\u0004", StringComparison.Ordinal) ? "a ZIP archive, as PyTorch and NumPy write them: save it as safetensors"
            : text.Length > 8 && text[8] == '{' && text[7] == '\0' ? "a safetensors file: give the directory that it is in"
            : trimmed.StartsWith('{') ? "JSON: give the directory that it is in"
            : null;
    }

    /// <summary>The same of a file that is to be a JSON object; null also where it begins as one.</summary>
    /// <param name="begin">The file's first bytes, or all of them.</param>
    public static string? DescribeInsteadOfJson(ReadOnlySpan<byte> begin) => begin.TrimStart("\uFEFF \t\r\n"u8) is [not (byte)'{', ..] ? Describe(begin) : null;

    private static string SizeOf(string pointer)
    {
        string? size = pointer.Split('\n').FirstOrDefault(line => line.StartsWith("size ", StringComparison.Ordinal))?[5..].Trim();
        return size is { Length: > 0 and < 20 } && size.All(char.IsAsciiDigit) ? $" to {size} bytes" : "";
    }

    private static bool IsHtml(string text) =>
        text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase);
}

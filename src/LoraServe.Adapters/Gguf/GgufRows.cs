using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Gguf;

/// <summary>The order in which llama.cpp keeps the rows of some linear maps, and Hugging Face's.</summary>
/// <remarks>
/// For models of the llama architecture and some of its relatives it pairs the rows of query and key that rotate together; Hugging Face keeps the
/// first of all pairs of a head, then the second of all. Of query, key and value in one map it has one after another, where Hugging Face's
/// GPT-NeoX has them head by head.
/// </remarks>
internal static class GgufRows
{
    private const int Parts = 3;
    private static readonly string[] s_interleaved = ["llama", "granite", "smollm3"];

    /// <summary>From llama.cpp's order to Hugging Face's.</summary>
    /// <param name="architecture">GGUF's name of it.</param>
    /// <param name="site">The linear map.</param>
    /// <param name="matrix">Its rows.</param>
    /// <param name="headSize">Elements of a head.</param>
    public static FloatMatrix ToHuggingFace(string? architecture, Site site, FloatMatrix matrix, int headSize) =>
        Reordered(architecture, site, matrix, headSize, (ordered, gguf, huggingFace) => matrix.Row(gguf).CopyTo(ordered.Row(huggingFace)));

    /// <summary>From Hugging Face's order to llama.cpp's.</summary>
    /// <inheritdoc cref="ToHuggingFace"/>
    public static FloatMatrix ToGguf(string? architecture, Site site, FloatMatrix matrix, int headSize) =>
        Reordered(architecture, site, matrix, headSize, (ordered, gguf, huggingFace) => matrix.Row(huggingFace).CopyTo(ordered.Row(gguf)));

    private static FloatMatrix Reordered(string? architecture, Site site, FloatMatrix matrix, int headSize, Action<FloatMatrix, int, int> copy)
    {
        Func<int, int>? place = s_interleaved.Contains(architecture) && (site.Role is SiteRole.Query or SiteRole.Key) ? Interleaved
            : architecture == "gptneox" && site.Role == SiteRole.QueryKeyValue ? ByHead
            : null;
        if (place is null)
        {
            return matrix;
        }

        var ordered = new FloatMatrix(matrix.Rows, matrix.Columns);
        for (int row = 0; row < matrix.Rows; row++)
        {
            copy(ordered, row, place(row));
        }

        return ordered;

        int Interleaved(int row)
        {
            (int head, int within) = Math.DivRem(row, headSize);
            return (head * headSize) + (within % 2 * (headSize / 2)) + (within / 2);
        }

        int ByHead(int row)
        {
            (int part, int within) = Math.DivRem(row, matrix.Rows / Parts);
            (int head, int element) = Math.DivRem(within, headSize);
            return (((head * Parts) + part) * headSize) + element;
        }
    }
}

using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Gguf;

/// <summary>The order in which llama.cpp keeps the rows of query and key for models of the llama architecture and some of its relatives.</summary>
/// <remarks>It pairs the rows that rotate together; Hugging Face keeps the first of all pairs of a head, then the second of all.</remarks>
internal static class GgufRows
{
    private static readonly string[] s_interleaved = ["llama", "mistral", "mixtral", "granite", "smollm3"];

    /// <summary>Whether a linear map's rows are in that order.</summary>
    public static bool AreInterleaved(string? architecture, Site site) => s_interleaved.Contains(architecture) && (site.Role is SiteRole.Query or SiteRole.Key);

    /// <summary>From llama.cpp's order to Hugging Face's.</summary>
    public static FloatMatrix Deinterleave(FloatMatrix matrix, int headSize) => Reorder(matrix, headSize, (ordered, row, place) => matrix.Row(row).CopyTo(ordered.Row(place)));

    /// <summary>From Hugging Face's order to llama.cpp's.</summary>
    public static FloatMatrix Interleave(FloatMatrix matrix, int headSize) => Reorder(matrix, headSize, (ordered, row, place) => matrix.Row(place).CopyTo(ordered.Row(row)));

    private static FloatMatrix Reorder(FloatMatrix matrix, int headSize, Action<FloatMatrix, int, int> copy)
    {
        var ordered = new FloatMatrix(matrix.Rows, matrix.Columns);
        int half = headSize / 2;
        for (int row = 0; row < matrix.Rows; row++)
        {
            (int head, int within) = Math.DivRem(row, headSize);
            copy(ordered, row, (head * headSize) + (within % 2 * half) + (within / 2));
        }

        return ordered;
    }
}

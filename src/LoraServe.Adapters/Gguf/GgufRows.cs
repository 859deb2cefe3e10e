using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Gguf;

/// <summary>The order in which GGUF files have the rows of some linear maps, and Hugging Face's.</summary>
/// <remarks>
/// For models of the llama architecture and some of its relatives llama.cpp pairs the rows of query and key that rotate together; Hugging Face keeps the
/// first of all pairs of a head, then the second of all. Of query, key and value in one map it has one after another, where Hugging Face's
/// GPT-NeoX has them head by head.
/// </remarks>
public static class GgufRows
{
    private const int Parts = 3;
    private const string FusedByHead = "gptneox";
    private static readonly string[] s_interleaved = ["llama", "granite", "smollm3"];

    /// <summary>For each row that a GGUF file has of a linear map, its row in Hugging Face's order; empty where both orders are the same.</summary>
    /// <param name="architecture">GGUF's name of it.</param>
    /// <param name="role">Which linear map.</param>
    /// <param name="rows">Number of its rows.</param>
    /// <param name="headSize">Elements of a head.</param>
    public static int[] Order(string architecture, SiteRole role, int rows, int headSize)
    {
        return s_interleaved.Contains(architecture) && (role is SiteRole.Query or SiteRole.Key) ? [.. Enumerable.Range(0, rows).Select(Interleaved)]
            : architecture == FusedByHead && role == SiteRole.QueryKeyValue ? [.. Enumerable.Range(0, rows).Select(Fused)]
            : [];

        int Interleaved(int row)
        {
            (int head, int within) = Math.DivRem(row, headSize);
            return (head * headSize) + (within % 2 * (headSize / 2)) + (within / 2);
        }

        int Fused(int row)
        {
            (int part, int within) = Math.DivRem(row, rows / Parts);
            (int head, int element) = Math.DivRem(within, headSize);
            return (((head * Parts) + part) * headSize) + element;
        }
    }

    /// <summary>Brings rows from GGUF's order to Hugging Face's.</summary>
    internal static FloatMatrix ToHuggingFace(string architecture, Site site, FloatMatrix matrix, int headSize) =>
        Reordered(architecture, site, matrix, headSize, (ordered, gguf, huggingFace) => matrix.Row(gguf).CopyTo(ordered.Row(huggingFace)));

    /// <summary>Brings rows from Hugging Face's order to GGUF's.</summary>
    internal static FloatMatrix ToGguf(string architecture, Site site, FloatMatrix matrix, int headSize) =>
        Reordered(architecture, site, matrix, headSize, (ordered, gguf, huggingFace) => matrix.Row(huggingFace).CopyTo(ordered.Row(gguf)));

    private static FloatMatrix Reordered(string architecture, Site site, FloatMatrix matrix, int headSize, Action<FloatMatrix, int, int> copy)
    {
        int[] order = Order(architecture, site.Role, matrix.Rows, headSize);
        if (order.Length == 0)
        {
            return matrix;
        }

        var ordered = new FloatMatrix(matrix.Rows, matrix.Columns);
        for (int row = 0; row < order.Length; row++)
        {
            copy(ordered, row, order[row]);
        }

        return ordered;
    }
}

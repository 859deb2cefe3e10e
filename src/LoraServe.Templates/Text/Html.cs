using System.Text;

namespace LoraServe.Templates.Text;

/// <summary>Escaping for HTML, and its reverse.</summary>
internal static class Html
{
    public static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal)
        .Replace("\"", "&#34;", StringComparison.Ordinal);

    /// <summary>The text without comments and tags, white space run together, entities resolved.</summary>
    public static string StripTags(string text)
    {
        StringBuilder kept = new(text.Length);
        int i = 0;
        while (i < text.Length)
        {
            bool comment = string.CompareOrdinal(text, i, "<!--", 0, 4) == 0;
            int end = text[i] != '<' ? -1 : text.IndexOf(comment ? "-->" : ">", i, StringComparison.Ordinal);
            if (end < 0)
            {
                int next = text[i] == '<' ? text.Length : text.IndexOf('<', i);
                next = next < 0 ? text.Length : next;
                kept.Append(text, i, next - i);
                i = next;
            }
            else
            {
                i = end + (comment ? 3 : 1);
            }
        }

        string[] words = kept.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return System.Net.WebUtility.HtmlDecode(string.Join(' ', words));
    }
}

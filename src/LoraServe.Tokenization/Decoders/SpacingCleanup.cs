namespace LoraServe.Tokenization.Decoders;

/// <summary>Takes the spaces away that word pieces leave before punctuation and in English contractions: the library's list, in its order.</summary>
internal static class SpacingCleanup
{
    private static readonly (string Found, string Put)[] s_changes =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    /// <summary>Changes a text in place, which never grows, and gives its new length.</summary>
    public static int Apply(Span<char> text)
    {
        int length = text.Length;
        if (text.Contains(' '))
        {
            foreach ((string found, string put) in s_changes)
            {
                length = Replace(text[..length], found, put);
            }
        }

        return length;
    }

    /// <summary>Replaces every occurrence of a text by one that is no longer, in place, and gives the new length. An empty one occurs nowhere.</summary>
    public static int Replace(Span<char> text, string found, string put)
    {
        int read = text.IndexOf(found);
        int write = read;
        if (read < 0 || found.Length == 0)
        {
            return text.Length;
        }

        while (read < text.Length)
        {
            if (text[read..].StartsWith(found))
            {
                put.CopyTo(text[write..]);
                write += put.Length;
                read += found.Length;
            }
            else
            {
                text[write++] = text[read++];
            }
        }

        return write;
    }
}

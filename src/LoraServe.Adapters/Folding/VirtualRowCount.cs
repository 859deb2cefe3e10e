using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Folding;

/// <summary>How many rows an adapter puts ahead of the prompt.</summary>
public static class VirtualRowCount
{
    /// <summary>Counts them; 0 where it puts none.</summary>
    /// <exception cref="ArgumentException">Its edits do not agree on that.</exception>
    public static int Of(IEnumerable<AdapterEdit> edits)
    {
        ArgumentNullException.ThrowIfNull(edits);
        int rows = 0;
        bool hasTokens = false;
        foreach (AdapterEdit edit in edits)
        {
            (int count, bool fits) = edit switch
            {
                VirtualTokens tokens => (tokens.Count, rows == 0),
                PrefixKeyValue prefix => (prefix.Keys.Rows, rows == 0 || (!hasTokens && rows == prefix.Keys.Rows)),
                _ => (rows, true),
            };
            rows = fits
                ? count
                : throw new ArgumentException($"An adapter has {rows} virtual rows and {count} more; expected virtual tokens once, or a prefix of the same length in every layer.", nameof(edits));
            hasTokens |= edit is VirtualTokens;
        }

        return rows;
    }
}

namespace LoraServe.Tokenization.Models;

/// <summary>Remembers the tokens of words. Its size is fixed: a word takes the place of another with the same slot.</summary>
/// <remarks>Entries never change and are swapped in whole, so any number of threads may use it without locks.</remarks>
internal sealed class WordCache
{
    /// <summary>Longer words are not kept: they rarely come again, and this bounds the memory.</summary>
    public const int LongestWord = 32;

    private const int Slots = 1 << 15;

    private readonly Entry?[] _entries = new Entry?[Slots];

    public bool TryGet(ReadOnlySpan<char> word, out int[] ids)
    {
        Entry? entry = Volatile.Read(ref _entries[Slot(word)]);
        if (entry is not null && word.SequenceEqual(entry.Word))
        {
            ids = entry.Ids;
            return true;
        }

        ids = [];
        return false;
    }

    public void Put(ReadOnlySpan<char> word, ReadOnlySpan<int> ids) =>
        Volatile.Write(ref _entries[Slot(word)], new Entry(word.ToString(), ids.ToArray()));

    private static int Slot(ReadOnlySpan<char> word)
    {
        uint hash = 2166136261;
        foreach (char c in word)
        {
            hash = (hash ^ c) * 16777619;
        }

        return (int)((hash * 2654435769u) >> 17);
    }

    private sealed record Entry(string Word, int[] Ids);
}

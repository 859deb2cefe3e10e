using System.Numerics;
using System.Runtime.CompilerServices;

namespace LoraServe.Tokenization.Models;

/// <summary>Tokens and their ids: a hash table with open addressing, which is built far faster than a dictionary of the runtime's when a process is new.</summary>
internal sealed class Vocabulary
{
    /// <summary>Stands for no token.</summary>
    public const int None = -1;

    private readonly string?[] _texts;
    private readonly Slot[] _slots;

    /// <summary>Takes tokens over; where two have the same text or the same id, the later one counts.</summary>
    /// <param name="tokens">The tokens' texts.</param>
    /// <param name="ids">Their ids, at least 0 and not far beyond the number of tokens, or null where the position is the id.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public Vocabulary(ReadOnlySpan<string> tokens, int[]? ids = null)
    {
        _texts = new string?[ids is null ? tokens.Length : ids.DefaultIfEmpty(None).Max() + 1];
        _slots = new Slot[Math.Max(16, (int)BitOperations.RoundUpToPowerOf2(2 * (uint)tokens.Length))];
        for (int i = 0; i < tokens.Length; i++)
        {
            int id = ids is null ? i : ids[i];
            _texts[id] = tokens[i];
            int hash = string.GetHashCode(tokens[i]);
            Find(tokens[i], hash) = new Slot(tokens[i], hash, id);
        }
    }

    /// <summary>One more than the largest id.</summary>
    public int Size => _texts.Length;

    /// <summary>The id of a token, or <see cref="None"/>.</summary>
    public int IdOrNone(ReadOnlySpan<char> token)
    {
        Slot slot = Find(token, string.GetHashCode(token));
        return slot.Text is null ? None : slot.Id;
    }

    /// <summary>As the other, after a look at the id that the token probably has: most files list tokens in the order of the merges that make them.</summary>
    public int IdOrNone(ReadOnlySpan<char> token, int likely) => Text(likely) is { } text && token.SequenceEqual(text) ? likely : IdOrNone(token);

    /// <summary>The text of an id, or null.</summary>
    public string? Text(int id) => (uint)id < (uint)_texts.Length ? _texts[id] : null;

    /// <summary>The slot of a token, or the free one where it belongs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ref Slot Find(ReadOnlySpan<char> token, int hash)
    {
        Slot[] slots = _slots;
        int at = hash & (slots.Length - 1);
        while (slots[at].Text is { } text && !(slots[at].Hash == hash && token.SequenceEqual(text)))
        {
            at = (at + 1) & (slots.Length - 1);
        }

        return ref slots[at];
    }

    private readonly struct Slot(string text, int hash, int id)
    {
        public readonly string? Text = text;
        public readonly int Hash = hash;
        public readonly int Id = id;
    }
}

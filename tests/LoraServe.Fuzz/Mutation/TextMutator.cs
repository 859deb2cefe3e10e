using System.Text;

namespace LoraServe.Fuzz.Mutation;

/// <summary>Changes a program's text: takes out, doubles and puts in pieces, its language's own among them.</summary>
/// <param name="pieces">Pieces of the language.</param>
internal sealed class TextMutator(IReadOnlyList<string> pieces)
{
    private const int LongestPiece = 30;

    /// <summary>A text with one thing changed.</summary>
    public byte[] Mutate(Random random, byte[] bytes, byte[] other)
    {
        string text = Encoding.UTF8.GetString(bytes);
        string others = Encoding.UTF8.GetString(other);
        int at = random.Next(text.Length + 1);
        int length = Math.Min(random.Next(1, LongestPiece), text.Length - at);
        return random.Next(8) switch
        {
            0 => ByteMutator.Mutate(random, bytes, other),
            1 => Encoding.UTF8.GetBytes(text.Remove(at, length)),
            2 => Encoding.UTF8.GetBytes(text.Insert(at, text.Substring(at, length))),
            3 when others.Length > 0 && random.Next(others.Length) is var from => Encoding.UTF8.GetBytes(text.Insert(at, others.Substring(from, Math.Min(LongestPiece, others.Length - from)))),
            4 when random.OneIn(10) => Encoding.UTF8.GetBytes(text.Insert(at, string.Concat(Enumerable.Repeat(random.Pick(pieces), random.Pick([10, 100, 1000, 20_000]))))),
            _ => Encoding.UTF8.GetBytes(text.Remove(at, random.OneIn(2) ? 0 : length).Insert(at, random.Pick(pieces))),
        };
    }
}

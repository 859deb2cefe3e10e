using System.Buffers.Binary;
using System.Text;

namespace LoraServe.Tokenization.Tests;

/// <summary>Compiles normalization maps as SentencePiece does: a double array of UTF-8 bytes, and the replacements.</summary>
internal static class CharacterMaps
{
    /// <summary>A few texts that overlap: one that begins another, one that grows, one that vanishes, one of two lines.</summary>
    public static byte[] Sample => Compile(
    [
        ("\t", " "), ("\n", " "), ("\r", " "), ("\x01", ""), ("Å", "Å"), ("A\u030A", "Å"), ("e\u0301", "é"), ("ﬁ", "fi"), ("ﬁ\u0301", "FI"), ("①", "1"),
        ("½", "1⁄2"), ("\u00A0", " "), ("\u200B", ""), ("\u3000", " "), ("ﷺ", "صلى الله عليه وسلم"), ("Ω", "ω"), ("A", "a"), ("日本", "jp"),
    ]);

    public static byte[] Compile((string Text, string Replacement)[] replacements)
    {
        MemoryStream texts = new();
        Node root = new();
        foreach ((string text, string replacement) in replacements)
        {
            Node node = root;
            foreach (byte b in Encoding.UTF8.GetBytes(text))
            {
                node.Children.TryAdd(b, new Node());
                node = node.Children[b];
            }

            node.Value = (int)texts.Position;
            texts.Write(Encoding.UTF8.GetBytes(replacement + '\0'));
        }

        uint[] units = new uint[1 << 14];
        bool[] isTaken = new bool[units.Length];
        isTaken[0] = true;
        Place(root, 0, units, isTaken);
        byte[] map = new byte[4 + (4 * units.Length) + texts.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(map, (uint)(4 * units.Length));
        for (int i = 0; i < units.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(map.AsSpan(4 + (4 * i)), units[i]);
        }

        texts.ToArray().CopyTo(map, 4 + (4 * units.Length));
        return map;
    }

    /// <summary>Finds places for a node's children: the node's own place XOR an offset XOR the child's byte.</summary>
    private static void Place(Node node, int at, uint[] units, bool[] isTaken)
    {
        IEnumerable<int> labels = node.Children.Keys.Select(b => (int)b).Concat(node.Value >= 0 ? [0] : []);
        int offset = Enumerable.Range(1, 4096).First(candidate => labels.All(label => !isTaken[at ^ candidate ^ label]));
        units[at] |= ((uint)offset << 10) | (node.Value >= 0 ? 1u << 8 : 0);
        foreach (int label in labels)
        {
            isTaken[at ^ offset ^ label] = true;
        }

        if (node.Value >= 0)
        {
            units[at ^ offset] = (uint)node.Value | 0x8000_0000;
        }

        foreach ((byte label, Node child) in node.Children)
        {
            units[at ^ offset ^ label] = label;
            Place(child, at ^ offset ^ label, units, isTaken);
        }
    }

    private sealed class Node
    {
        public SortedDictionary<byte, Node> Children { get; } = [];

        public int Value { get; set; } = -1;
    }
}

using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.PreTokenizers;

/// <summary>Cuts a text into words of so many code points, the last perhaps of fewer.</summary>
internal sealed class FixedLengthPreTokenizer(int length) : PreTokenizer
{
    /// <summary>The length where a file does not say it.</summary>
    public const int DefaultLength = 5;

    public override IPieceSink CreateStage(IPieceSink next) => new Stage(length, next);

    private sealed class Stage(int length, IPieceSink next) : IPieceSink
    {
        public void Accept(in TextPiece piece)
        {
            ReadOnlySpan<char> text = piece.Span;
            for (int start = 0, end = 0; start < text.Length; start = end)
            {
                for (int i = 0; i < length && end < text.Length; i++)
                {
                    end += char.IsHighSurrogate(text[end]) ? 2 : 1;
                }

                next.Accept(piece.Slice(start, end));
            }
        }
    }
}

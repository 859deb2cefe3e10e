using LoraServe.Tokenization.Patterns;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.PreTokenizers;

/// <summary>Cuts at single code points of a set, each of them a delimiter of its own.</summary>
internal sealed class CharacterPreTokenizer(CodePointSet delimiters, SplitBehavior behavior) : PreTokenizer
{
    public override IPieceSink CreateStage(IPieceSink next) => new Stage(delimiters, behavior, next);

    private sealed class Stage(CodePointSet delimiters, SplitBehavior behavior, IPieceSink next) : IPieceSink
    {
        public void Accept(in TextPiece piece)
        {
            ReadOnlySpan<char> text = piece.Span;
            PieceCutter cutter = new(behavior, piece, next);
            int covered = 0;
            for (int i = 0; i < text.Length;)
            {
                int codePoint = CodePoints.At(text, i, out int units);
                if (delimiters.Contains(codePoint))
                {
                    if (i > covered)
                    {
                        cutter.Add(covered, i, isDelimiter: false);
                    }

                    covered = i + units;
                    cutter.Add(i, covered, isDelimiter: true);
                }

                i += units;
            }

            if (covered < text.Length)
            {
                cutter.Add(covered, text.Length, isDelimiter: false);
            }

            cutter.Finish();
        }
    }
}

using LoraServe.Tokenization.Patterns;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.PreTokenizers;

/// <summary>Cuts at the matches of a pattern, or with <paramref name="invert"/> at what lies between them.</summary>
internal sealed class PatternPreTokenizer(Pattern pattern, SplitBehavior behavior, bool invert) : PreTokenizer
{
    public override IPieceSink CreateStage(IPieceSink next) => new Stage(new PatternMatcher(pattern), behavior, invert, next);

    private sealed class Stage(PatternMatcher matcher, SplitBehavior behavior, bool invert, IPieceSink next) : IPieceSink
    {
        public void Accept(in TextPiece piece)
        {
            PatternScan scan = new(matcher, piece.Span);
            PieceCutter cutter = new(behavior, piece, next);
            while (scan.MoveNext(out int start, out int end, out bool isMatch))
            {
                cutter.Add(start, end, isMatch != invert);
            }

            cutter.Finish();
        }
    }
}

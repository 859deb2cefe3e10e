using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.PreTokenizers;

/// <summary>Spells spaces as a visible character, puts one before the text if the scheme says so, and may cut before each of them.</summary>
internal sealed class MetaspacePreTokenizer(char replacement, PrependScheme scheme, bool split) : PreTokenizer
{
    public override IPieceSink CreateStage(IPieceSink next) => new Stage(replacement, scheme, split, next);

    private sealed class Stage(char replacement, PrependScheme scheme, bool split, IPieceSink next) : IPieceSink
    {
        public void Accept(in TextPiece piece)
        {
            TextPiece spelled = piece.Span.Contains(' ') ? piece.WithText(piece.Span.ToString().Replace(' ', replacement)) : piece;
            bool prepends = scheme == PrependScheme.Always || (scheme == PrependScheme.First && piece.IsFirst);
            if (prepends && piece.Length > 0 && spelled.Span[0] != replacement)
            {
                spelled = PieceTransform.Prepend(spelled, replacement.ToString());
            }

            if (!split)
            {
                next.Accept(spelled);
                return;
            }

            PieceCutter cutter = new(SplitBehavior.MergedWithNext, spelled, next);
            ReadOnlySpan<char> text = spelled.Span;
            int covered = 0;
            for (int at = text.IndexOf(replacement); at >= 0; at = Next(text, covered, replacement))
            {
                if (at > covered)
                {
                    cutter.Add(covered, at, isDelimiter: false);
                }

                covered = at + 1;
                cutter.Add(at, covered, isDelimiter: true);
            }

            if (covered < text.Length)
            {
                cutter.Add(covered, text.Length, isDelimiter: false);
            }

            cutter.Finish();
        }

        private static int Next(ReadOnlySpan<char> text, int from, char delimiter)
        {
            int index = text[from..].IndexOf(delimiter);
            return index < 0 ? -1 : from + index;
        }
    }
}

/// <summary>Where a space is put before a text.</summary>
internal enum PrependScheme
{
    /// <summary>Before the first piece of the input only.</summary>
    First,

    /// <summary>Nowhere.</summary>
    Never,

    /// <summary>Before every piece.</summary>
    Always,
}

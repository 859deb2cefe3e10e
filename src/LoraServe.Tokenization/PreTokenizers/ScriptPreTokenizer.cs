using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.PreTokenizers;

/// <summary>Cuts where the script changes. The Japanese ones count as one; spaces, and what is not assigned, belong to what precedes them, and before all else are dropped.</summary>
internal sealed class ScriptPreTokenizer : PreTokenizer
{
    private const int ProlongedSoundMark = 0x30FC;

    private readonly int _han = LibraryUnicode.ScriptNamed("Han");
    private readonly int _hiragana = LibraryUnicode.ScriptNamed("Hiragana");
    private readonly int _katakana = LibraryUnicode.ScriptNamed("Katakana");

    public override IPieceSink CreateStage(IPieceSink next) => new Stage(this, next);

    private int ScriptOf(int codePoint)
    {
        if (codePoint is ' ' or ProlongedSoundMark)
        {
            return codePoint == ' ' ? LibraryUnicode.NoScript : _han;
        }

        int script = LibraryUnicode.ScriptOf(codePoint);
        return script == _hiragana || script == _katakana ? _han : script;
    }

    private sealed class Stage(ScriptPreTokenizer parent, IPieceSink next) : IPieceSink
    {
        public void Accept(in TextPiece piece)
        {
            ReadOnlySpan<char> text = piece.Span;
            int start = -1;
            int last = LibraryUnicode.NoScript;
            for (int i = 0, units; i < text.Length; i += units)
            {
                int script = parent.ScriptOf(CodePoints.At(text, i, out units));
                if (script == LibraryUnicode.NoScript || script == last)
                {
                    continue;
                }

                if (start >= 0)
                {
                    next.Accept(piece.Slice(start, i));
                }

                start = i;
                last = script;
            }

            if (start >= 0)
            {
                next.Accept(piece.Slice(start, text.Length));
            }
        }
    }
}

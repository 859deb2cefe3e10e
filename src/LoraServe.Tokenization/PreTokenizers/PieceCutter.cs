using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.PreTokenizers;

/// <summary>Takes the parts of a piece in order, delimiters and what lies between, and hands on the pieces that a behaviour makes of them.</summary>
internal ref struct PieceCutter(SplitBehavior behavior, in TextPiece piece, IPieceSink next)
{
    private readonly TextPiece _piece = piece;
    private int _start = -1;
    private int _end;
    private bool _previousIsDelimiter;

    public void Add(int start, int end, bool isDelimiter)
    {
        switch (behavior)
        {
            case SplitBehavior.Removed:
                if (!isDelimiter)
                {
                    Emit(start, end);
                }

                return;
            case SplitBehavior.Isolated:
                Emit(start, end);
                return;
        }

        bool joins = behavior switch
        {
            SplitBehavior.Contiguous => isDelimiter == _previousIsDelimiter,
            SplitBehavior.MergedWithPrevious => isDelimiter && !_previousIsDelimiter,
            _ => !isDelimiter && _previousIsDelimiter,
        };
        if (!joins || _start < 0)
        {
            Finish();
            _start = start;
        }

        _end = end;
        _previousIsDelimiter = isDelimiter;
    }

    /// <summary>Hands on what is left.</summary>
    public void Finish()
    {
        if (_start >= 0)
        {
            Emit(_start, _end);
            _start = -1;
        }
    }

    private readonly void Emit(int start, int end)
    {
        if (end > start)
        {
            next.Accept(_piece.Slice(start, end));
        }
    }
}

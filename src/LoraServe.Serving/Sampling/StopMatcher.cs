namespace LoraServe.Serving.Sampling;

/// <summary>Holds back text that may turn out to be the beginning of a stop text, across token borders.</summary>
internal sealed class StopMatcher
{
    private readonly string[] _stops;
    private char[] _text = new char[64];
    private int _length;
    private int _certain;

    /// <param name="stops">The stop texts; none is empty.</param>
    public StopMatcher(IReadOnlyList<string> stops) => _stops = [.. stops];

    /// <summary>Text that is certain since the last <see cref="Take"/>: no stop text can begin in it.</summary>
    public ReadOnlySpan<char> Certain => _text.AsSpan(0, _certain);

    /// <summary>Appends text; true when a stop text is complete. Then what stood before it is certain and the rest is gone.</summary>
    public bool Append(ReadOnlySpan<char> text)
    {
        if (_length + text.Length > _text.Length)
        {
            Array.Resize(ref _text, Math.Max(_text.Length * 2, _length + text.Length));
        }

        text.CopyTo(_text.AsSpan(_length));
        _length += text.Length;
        ReadOnlySpan<char> pending = _text.AsSpan(0, _length);
        int first = int.MaxValue;
        foreach (string stop in _stops)
        {
            int index = pending.IndexOf(stop, StringComparison.Ordinal);
            first = index >= 0 ? Math.Min(first, index) : first;
        }

        if (first != int.MaxValue)
        {
            _certain = _length = first;
            return true;
        }

        _certain = _length - Held(pending);
        return false;
    }

    /// <summary>Makes all text certain: nothing follows that could complete a stop text.</summary>
    public void Flush() => _certain = _length;

    /// <summary>Drops what was certain, once it is handed on.</summary>
    public void Take()
    {
        _text.AsSpan(_certain, _length - _certain).CopyTo(_text);
        _length -= _certain;
        _certain = 0;
    }

    // The longest end of the text that a stop text begins with.
    private int Held(ReadOnlySpan<char> pending)
    {
        int held = 0;
        foreach (string stop in _stops)
        {
            for (int length = Math.Min(stop.Length - 1, pending.Length); length > held; length--)
            {
                if (pending[^length..].SequenceEqual(stop.AsSpan(0, length)))
                {
                    held = length;
                    break;
                }
            }
        }

        return held;
    }
}

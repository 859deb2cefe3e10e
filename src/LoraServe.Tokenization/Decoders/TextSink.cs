namespace LoraServe.Tokenization.Decoders;

/// <summary>Collects the text at the end of a decoding run.</summary>
internal sealed class TextSink : IFragmentSink
{
    private char[] _text = new char[64];
    private int _length;

    public ReadOnlySpan<char> Text => _text.AsSpan(0, _length);

    public void Clear() => _length = 0;

    public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
    {
        if (_length + fragment.Length > _text.Length)
        {
            Array.Resize(ref _text, Math.Max(2 * _text.Length, _length + fragment.Length));
        }

        fragment.CopyTo(_text.AsSpan(_length));
        _length += fragment.Length;
    }

    public void Finish()
    {
    }
}

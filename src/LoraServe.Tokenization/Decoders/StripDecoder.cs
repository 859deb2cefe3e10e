namespace LoraServe.Tokenization.Decoders;

/// <summary>Takes a character away from the start and the end of each token, up to a number of times.</summary>
internal sealed class StripDecoder(char content, int start, int stop) : DecoderStep
{
    public override bool IsByToken(bool isFused) => !isFused || (start <= 1 && stop == 0);

    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) => new Stage(content, start, stop, next);

    private sealed class Stage(char content, int start, int stop, IFragmentSink next) : IFragmentSink
    {
        private readonly System.Text.StringBuilder _text = new();
        private char[] _buffer = new char[64];
        private int _startLeft;
        private int _held;

        public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
        {
            if (startsToken)
            {
                _startLeft = start;
                _held = 0;
            }

            if (_startLeft == 0 && stop == 0)
            {
                next.Accept(fragment, startsToken);
                return;
            }

            _text.Clear();
            foreach (char c in fragment)
            {
                Take(c);
            }

            if (_buffer.Length < _text.Length)
            {
                _buffer = new char[2 * _text.Length];
            }

            _text.CopyTo(0, _buffer, _text.Length);
            next.Accept(_buffer.AsSpan(0, _text.Length), startsToken);
        }

        public void Finish() => next.Finish();

        private void Take(char c)
        {
            if (c == content && _startLeft > 0)
            {
                _startLeft--;
                return;
            }

            _startLeft = 0;
            if (c != content)
            {
                _text.Append(content, _held).Append(c);
                _held = 0;
            }
            else if (_held < stop)
            {
                // Held back: it goes if the token ends here.
                _held++;
            }
            else
            {
                _text.Append(c);
            }
        }
    }
}

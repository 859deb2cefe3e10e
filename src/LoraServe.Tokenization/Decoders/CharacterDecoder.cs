namespace LoraServe.Tokenization.Decoders;

/// <summary>Replaces one character by another; the first token may lose it instead.</summary>
/// <param name="character">The character that is replaced.</param>
/// <param name="replacement">What it becomes.</param>
/// <param name="dropsInFirst">Whether it is dropped in the first token, where it stands for a space that was put before the text.</param>
internal sealed class CharacterDecoder(char character, char replacement, bool dropsInFirst) : DecoderStep
{
    public override bool IsByToken(bool isFused) => !isFused || !dropsInFirst;

    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) =>
        new Stage(character, replacement, dropsInFirst, next);

    private sealed class Stage(char character, char replacement, bool dropsInFirst, IFragmentSink next) : IFragmentSink
    {
        private char[] _buffer = new char[64];
        private int _tokens;

        public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
        {
            _tokens += startsToken && _tokens < 2 ? 1 : 0;
            if (!fragment.Contains(character))
            {
                next.Accept(fragment, startsToken);
                return;
            }

            if (_buffer.Length < fragment.Length)
            {
                _buffer = new char[2 * fragment.Length];
            }

            int length = 0;
            foreach (char c in fragment)
            {
                if (c != character)
                {
                    _buffer[length++] = c;
                }
                else if (!dropsInFirst || _tokens > 1)
                {
                    _buffer[length++] = replacement;
                }
            }

            next.Accept(_buffer.AsSpan(0, length), startsToken);
        }

        public void Finish() => next.Finish();
    }
}

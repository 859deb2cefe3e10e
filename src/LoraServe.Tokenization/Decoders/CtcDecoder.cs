namespace LoraServe.Tokenization.Decoders;

/// <summary>Reads what speech models put out: a token that comes again at once counts once, and padding, which keeps two apart, is dropped.</summary>
/// <param name="padding">The token that is dropped.</param>
/// <param name="wordDelimiter">What stands between words, if <paramref name="cleansUp"/>.</param>
/// <param name="cleansUp">Whether word delimiters become spaces, and spaces before punctuation and in contractions are taken away.</param>
internal sealed class CtcDecoder(string padding, string wordDelimiter, bool cleansUp) : DecoderStep
{
    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) =>
        new Stage(padding, wordDelimiter, cleansUp, context.IsFused, next);

    private sealed class Stage(string padding, string wordDelimiter, bool cleansUp, bool isFused, IFragmentSink next) : TokenStage(next, isFused)
    {
        private readonly TextSink _last = new();
        private char[] _text = new char[64];
        private bool _isFirst = true;

        protected override void AcceptToken(ReadOnlySpan<char> token)
        {
            if (!_isFirst && token.SequenceEqual(_last.Text))
            {
                return;
            }

            _isFirst = false;
            _last.Clear();
            _last.Accept(token, startsToken: true);
            if (_text.Length < token.Length)
            {
                _text = new char[2 * token.Length];
            }

            token.CopyTo(_text);
            Span<char> text = _text.AsSpan(0, token.Length);
            text = text[..SpacingCleanup.Replace(text, padding, "")];
            if (cleansUp)
            {
                text = text[..SpacingCleanup.Apply(text)];
                text = text[..SpacingCleanup.Replace(text, wordDelimiter, " ")];
            }

            if (text.Length > 0)
            {
                Next.Accept(text, startsToken: true);
            }
        }
    }
}

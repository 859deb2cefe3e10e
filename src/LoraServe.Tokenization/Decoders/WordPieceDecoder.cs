namespace LoraServe.Tokenization.Decoders;

/// <summary>Puts a space before every token but the first and those that go on with a word, whose prefix is dropped.</summary>
/// <param name="prefix">How tokens begin that go on with a word.</param>
/// <param name="cleansUp">Whether spaces before punctuation and in contractions are taken away.</param>
internal sealed class WordPieceDecoder(string prefix, bool cleansUp) : DecoderStep
{
    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) => new Stage(prefix, cleansUp, context.IsFused, next);

    private sealed class Stage(string prefix, bool cleansUp, bool isFused, IFragmentSink next) : TokenStage(next, isFused)
    {
        private char[] _text = new char[64];
        private bool _isFirst = true;

        protected override void AcceptToken(ReadOnlySpan<char> token)
        {
            bool continues = !_isFirst && token.StartsWith(prefix);
            ReadOnlySpan<char> space = _isFirst || continues ? "" : " ";
            token = continues ? token[prefix.Length..] : token;
            _isFirst = false;
            int length = space.Length + token.Length;
            if (_text.Length < length)
            {
                _text = new char[2 * length];
            }

            space.CopyTo(_text);
            token.CopyTo(_text.AsSpan(space.Length));
            Span<char> text = _text.AsSpan(0, length);
            Next.Accept(cleansUp ? text[..SpacingCleanup.Apply(text)] : text, startsToken: true);
        }
    }
}

namespace LoraServe.Tokenization.Decoders;

/// <summary>Makes spaces of the signs that end words; the last token's sign is dropped.</summary>
internal sealed class SuffixDecoder(string suffix) : DecoderStep
{
    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) => new Stage(suffix, next);

    private sealed class Stage(string suffix, IFragmentSink next) : IFragmentSink
    {
        private readonly TextSink _last = new();
        private readonly TextSink _replaced = new();
        private bool _hasLast;

        public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
        {
            PutOutLast(" ");
            _last.Clear();
            _last.Accept(fragment, startsToken);
            _hasLast = true;
        }

        public void Finish()
        {
            PutOutLast("");
            next.Finish();
        }

        private void PutOutLast(ReadOnlySpan<char> space)
        {
            if (!_hasLast)
            {
                return;
            }

            _hasLast = false;
            _replaced.Clear();
            ReadOnlySpan<char> rest = _last.Text;
            for (int at = Find(rest); at >= 0; at = Find(rest))
            {
                _replaced.Accept(rest[..at], startsToken: false);
                _replaced.Accept(space, startsToken: false);
                rest = rest[(at + suffix.Length)..];
            }

            _replaced.Accept(rest, startsToken: false);
            next.Accept(_replaced.Text, startsToken: true);
        }

        private int Find(ReadOnlySpan<char> text) => suffix.Length == 0 ? -1 : text.IndexOf(suffix);
    }
}

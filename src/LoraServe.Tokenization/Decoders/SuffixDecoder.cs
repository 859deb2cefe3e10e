namespace LoraServe.Tokenization.Decoders;

/// <summary>Makes spaces of the signs that end words; the last token's sign is dropped.</summary>
internal sealed class SuffixDecoder(string suffix) : DecoderStep
{
    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) => new Stage(suffix, next);

    private sealed class Stage(string suffix, IFragmentSink next) : IFragmentSink
    {
        private string? _last;

        public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
        {
            PutOutLast(" ");
            _last = fragment.ToString();
        }

        public void Finish()
        {
            PutOutLast("");
            next.Finish();
        }

        private void PutOutLast(string space)
        {
            if (_last is not null)
            {
                next.Accept(suffix.Length == 0 ? _last : _last.Replace(suffix, space, StringComparison.Ordinal), startsToken: true);
            }

            _last = null;
        }
    }
}

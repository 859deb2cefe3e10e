namespace LoraServe.Tokenization.Decoders;

/// <summary>Joins tokens with spaces: what a tokenizer without a decoder does.</summary>
internal sealed class SpaceDecoder : DecoderStep
{
    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) => new Stage(next);

    private sealed class Stage(IFragmentSink next) : IFragmentSink
    {
        private bool _isFirst = true;

        public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
        {
            if (!_isFirst)
            {
                next.Accept(" ", startsToken: false);
            }

            _isFirst = false;
            next.Accept(fragment, startsToken);
        }

        public void Finish() => next.Finish();
    }
}

namespace LoraServe.Tokenization.Decoders;

/// <summary>Makes one token of all.</summary>
internal sealed class FuseDecoder : DecoderStep
{
    public override bool Fuses => true;

    public override bool IsByToken(bool isFused) => true;

    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) => new Stage(next);

    private sealed class Stage(IFragmentSink next) : IFragmentSink
    {
        private bool _isFirst = true;

        public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
        {
            next.Accept(fragment, _isFirst);
            _isFirst = false;
        }

        public void Finish() => next.Finish();
    }
}

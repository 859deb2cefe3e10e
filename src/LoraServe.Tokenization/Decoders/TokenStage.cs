namespace LoraServe.Tokenization.Decoders;

/// <summary>A stage that needs whole tokens: each fragment is one, but of a fused one the end is not known before all ends.</summary>
internal abstract class TokenStage(IFragmentSink next, bool isFused) : IFragmentSink
{
    private readonly TextSink _held = new();

    protected IFragmentSink Next => next;

    public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
    {
        if (isFused)
        {
            _held.Accept(fragment, startsToken);
        }
        else
        {
            AcceptToken(fragment);
        }
    }

    public void Finish()
    {
        if (isFused)
        {
            AcceptToken(_held.Text);
        }

        next.Finish();
    }

    protected abstract void AcceptToken(ReadOnlySpan<char> token);
}

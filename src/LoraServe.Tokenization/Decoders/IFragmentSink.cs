namespace LoraServe.Tokenization.Decoders;

/// <summary>Takes the text of tokens in order, a token perhaps in several fragments: a stage of one decoding run.</summary>
internal interface IFragmentSink
{
    /// <summary>Takes a fragment; it starts a token or goes on with the last one.</summary>
    void Accept(ReadOnlySpan<char> fragment, bool startsToken);

    /// <summary>Hands on what was held back: nothing follows.</summary>
    void Finish();
}

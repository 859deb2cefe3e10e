using LoraServe.Tokenization.Decoders;

namespace LoraServe.Tokenization;

/// <summary>Turns tokens into text as they come, and never shows a character before all of it is there.</summary>
/// <remarks>
/// All pieces and the flush together are what <see cref="Tokenizer.Decode"/> makes of all ids. One exception: after text was
/// shown, a SentencePiece-style run of byte tokens can turn out to be no UTF-8; decoding the whole at once would have shown
/// U+FFFD for each byte of the run. Belongs to one sequence; not for several threads at once.
/// </remarks>
public sealed class IncrementalDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly DecoderChain _chain;
    private readonly bool _skipSpecialTokens;
    private readonly IReadOnlySet<int> _shown;
    private readonly TextSink _sink = new();
    private IFragmentSink _run;

    internal IncrementalDecoder(Tokenizer tokenizer, DecoderChain chain, bool skipSpecialTokens, IReadOnlySet<int> shown)
    {
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
        _shown = shown;
        _chain = chain;
        _run = chain.CreateRun(_sink, isIncremental: true);
    }

    /// <summary>Takes the next token and gives the text that can be shown now; often a word, sometimes nothing.</summary>
    /// <param name="id">The token; an id that the vocabulary lacks adds nothing.</param>
    public string Append(int id) => AppendSpan(id).ToString();

    /// <summary>As <see cref="Append"/>, without making a string: the text is valid until the next call.</summary>
    /// <param name="id">The token; an id that the vocabulary lacks adds nothing.</param>
    public ReadOnlySpan<char> AppendSpan(int id)
    {
        _sink.Clear();
        if (_tokenizer.TextToDecode(id, _skipSpecialTokens && !_shown.Contains(id)) is { } token)
        {
            _run.Accept(token, startsToken: true);
        }

        return _sink.Text;
    }

    /// <summary>Gives what was held back, U+FFFD for a character that never came to its end, and starts anew.</summary>
    public string Flush()
    {
        _sink.Clear();
        _run.Finish();
        _run = _chain.CreateRun(_sink, isIncremental: true);
        return _sink.Text.ToString();
    }
}

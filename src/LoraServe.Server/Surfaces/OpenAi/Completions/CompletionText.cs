using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces.OpenAi.Completions;

/// <summary>One continued prompt as it is written, whole or piece by piece: where its tokens begin is counted over all pieces.</summary>
/// <param name="index">Which of the request's answers it is.</param>
/// <param name="hasLogprobs">Whether log-probabilities were asked for.</param>
/// <param name="spelling">Writes tokens.</param>
internal sealed class CompletionText(int index, bool hasLogprobs, TokenSpelling spelling)
{
    private int _offset;

    /// <summary>Whether something of it was written.</summary>
    public bool IsBegun { get; private set; }

    /// <summary>The next piece of it.</summary>
    /// <param name="echo">The prompt, in front of the first piece; null for none.</param>
    /// <param name="tokens">What was generated since the last piece.</param>
    /// <param name="finish">Why it ends with this piece; none where it does not.</param>
    public CompletionChoice Next(EchoedPrompt? echo, IReadOnlyList<GeneratedToken> tokens, FinishReason finish)
    {
        echo = IsBegun ? null : echo;
        IsBegun = true;
        CompletionLogprobs? logprobs = hasLogprobs ? new CompletionLogprobs() : null;
        if (logprobs is not null)
        {
            foreach (ScoredToken token in echo?.Tokens ?? [])
            {
                Add(logprobs, token, spelling.Text(token.TokenId));
            }
        }

        _offset = echo?.Text.Length ?? _offset;
        foreach (GeneratedToken token in tokens)
        {
            if (logprobs is not null)
            {
                Add(logprobs, new ScoredToken(token.TokenId, token.LogProbability, token.Top), spelling.Text(token.TokenId), _offset);
            }

            _offset += token.Text.Length;
        }

        return new CompletionChoice(index, string.Concat(tokens.Select(token => token.Text).Prepend(echo?.Text)), logprobs, AnswerFields.ToMessage(finish));
    }

    // Texts of the prompt's tokens are counted up; those of the answer are where its pieces are.
    private void Add(CompletionLogprobs logprobs, in ScoredToken token, string text, int? offset = null)
    {
        bool isFirst = float.IsNaN(token.LogProbability);
        logprobs.Tokens.Add(text);
        logprobs.TokenLogprobs.Add(isFirst ? null : TokenSpelling.Finite(token.LogProbability));
        logprobs.TextOffset.Add(offset ?? _offset);
        _offset += offset is null ? text.Length : 0;
        Dictionary<string, float>? top = isFirst ? null : new() { [text] = TokenSpelling.Finite(token.LogProbability) };
        foreach (TokenProbability other in isFirst ? [] : token.Top)
        {
            top!.TryAdd(spelling.Text(other.TokenId), TokenSpelling.Finite(other.LogProbability));
        }

        logprobs.TopLogprobs.Add(top);
    }
}

using LoraServe.Compute.Memory;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Sampling;

/// <summary>How likely each token of a prompt is, as steps compute it. Written by the loop; read by the request's reader once its first token has come.</summary>
internal sealed class PromptScores
{
    private readonly ScoredToken[] _tokens;
    private readonly int _top;
    private int _scored = 1;

    /// <param name="prompt">The prompt, without virtual rows.</param>
    /// <param name="top">How many of the most likely tokens to name at each place.</param>
    public PromptScores(ReadOnlySpan<int> prompt, int top)
    {
        _top = top;
        _tokens = new ScoredToken[prompt.Length];
        for (int i = 0; i < prompt.Length; i++)
        {
            _tokens[i] = new ScoredToken(prompt[i], float.NaN, []);
        }
    }

    /// <summary>Whether all of them are known.</summary>
    public bool IsComplete => _scored == _tokens.Length;

    /// <summary>The tokens; what is not known yet is NaN.</summary>
    public IReadOnlyList<ScoredToken> Tokens => _tokens;

    /// <summary>Takes the logits after some adjacent tokens.</summary>
    /// <param name="first">The first of these, counted from the prompt's beginning.</param>
    /// <param name="logits">[tokens, V]; what follows the prompt's last token is not looked at.</param>
    /// <param name="scratch">Memory for a row.</param>
    public void Take(int first, Rows logits, Span<float> scratch)
    {
        for (int row = 0; row < logits.Count && first + row + 1 < _tokens.Length; row++)
        {
            int next = first + row + 1;
            int token = _tokens[next].TokenId;
            ReadOnlySpan<float> values = logits.Span(row);
            double logSum = Sampler.LogSumExp(values, scratch);
            _tokens[next] = new ScoredToken(token, (float)(values[token] - logSum), Candidates.MostLikely(values, logSum, _top));
            _scored = next + 1;
        }
    }
}

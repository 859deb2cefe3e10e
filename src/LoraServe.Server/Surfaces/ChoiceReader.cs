using LoraServe.Models.Text.ToolCalls;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces;

/// <summary>Parts what one answer says from the tool calls that it makes, token by token.</summary>
/// <param name="calls">Reads calls; null where there are none to be read.</param>
internal sealed class ChoiceReader(ToolCallReader? calls)
{
    private bool _hasCall;
    private bool _isBroken;

    /// <summary>Whether the answer came to its own end with tool calls, all of them whole.</summary>
    public bool EndsInCalls { get; private set; }

    /// <summary>The parts that are certain with a token; with the last, all.</summary>
    public IReadOnlyList<AnswerPart> Read(in GeneratedToken token)
    {
        if (calls is null)
        {
            return token.Text.Length == 0 ? [] : [new AnswerPart(AnswerPartKind.Text, token.Text)];
        }

        IReadOnlyList<AnswerPart> parts = calls.Append(token.Text);
        parts = token.Finish == FinishReason.None ? parts : [.. parts, .. calls.Finish()];
        foreach (AnswerPart part in parts)
        {
            _hasCall |= part.Kind == AnswerPartKind.CallEnd;
            _isBroken |= part.Kind == AnswerPartKind.CallBroken;
        }

        EndsInCalls = token.Finish == FinishReason.Stop && _hasCall && !_isBroken;
        return parts;
    }
}

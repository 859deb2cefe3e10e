using LoraServe.Models.Text.ToolCalls;

namespace LoraServe.Server.Surfaces;

/// <summary>What a token adds to an answer, for surfaces that stream it.</summary>
/// <param name="Text">What is said.</param>
/// <param name="Calls">What is added to calls, one for each of them.</param>
internal sealed record AnswerDelta(string Text, IReadOnlyList<CallDelta> Calls)
{
    /// <summary>The sum of some parts.</summary>
    /// <remarks>Of a call that broke off has been sent what came of it; the answer's end says that it is none.</remarks>
    public static AnswerDelta Of(IReadOnlyList<AnswerPart> parts)
    {
        string text = "";
        var calls = new List<CallDelta>();
        foreach (AnswerPart part in parts)
        {
            switch (part.Kind)
            {
                case AnswerPartKind.Text:
                    text += part.Text;
                    break;
                case AnswerPartKind.CallBegin:
                    calls.Add(new CallDelta(part.Call, part.Id, part.Text, ""));
                    break;
                case AnswerPartKind.Arguments when calls.Count > 0 && calls[^1].Index == part.Call:
                    calls[^1] = calls[^1] with { Arguments = calls[^1].Arguments + part.Text };
                    break;
                case AnswerPartKind.Arguments:
                    calls.Add(new CallDelta(part.Call, "", "", part.Text));
                    break;
            }
        }

        return new AnswerDelta(text, calls);
    }
}

/// <summary>What is added to a call.</summary>
/// <param name="Index">Which of the answer's calls.</param>
/// <param name="Id">Its id, where it begins; else empty.</param>
/// <param name="Name">The tool's name, where it begins; else empty.</param>
/// <param name="Arguments">More of the JSON text of its arguments.</param>
internal sealed record CallDelta(int Index, string Id, string Name, string Arguments);

using LoraServe.Models.Text.ToolCalls;

namespace LoraServe.Models.Tests.Text.ToolCalls;

/// <summary>An answer put together again of its parts, as a caller sees it.</summary>
/// <param name="Text">What the model says.</param>
/// <param name="Calls">The calls that are whole.</param>
/// <param name="Broken">What was written of those that are not.</param>
internal sealed record ReadAnswer(string Text, IReadOnlyList<ToolCall> Calls, IReadOnlyList<string> Broken)
{
    /// <summary>Reads an answer that comes in pieces.</summary>
    public static ReadAnswer Of(ToolCallForm form, IEnumerable<string> pieces, ToolSet? tools = null, string request = "request")
    {
        ToolCallReader reader = form.CreateReader(tools ?? new ToolSet([]), new ToolCallIds(request, 0));
        return Of([.. pieces.SelectMany(piece => reader.Append(piece)), .. reader.Finish()]);
    }

    /// <summary>Reads a whole answer.</summary>
    public static ReadAnswer Of(ToolCallForm form, string answer, ToolSet? tools = null) => Of(form, [answer], tools);

    private static ReadAnswer Of(IReadOnlyList<AnswerPart> parts)
    {
        var text = new List<string>();
        var calls = new List<ToolCall>();
        var broken = new List<string>();
        ToolCall? open = null;
        int begun = 0;
        foreach (AnswerPart part in parts)
        {
            switch (part.Kind)
            {
                case AnswerPartKind.Text:
                    Assert.NotEqual("", part.Text);
                    text.Add(part.Text);
                    break;
                case AnswerPartKind.CallBegin:
                    Assert.Null(open);
                    Assert.Equal(begun++, part.Call);
                    open = new ToolCall(part.Id, part.Text, "");
                    break;
                case AnswerPartKind.Arguments:
                    Assert.Equal(begun - 1, part.Call);
                    open = open! with { Arguments = open.Arguments + part.Text };
                    break;
                case AnswerPartKind.CallEnd:
                    calls.Add(open!);
                    open = null;
                    break;
                default:
                    broken.Add(part.Text);
                    open = null;
                    break;
            }
        }

        Assert.Null(open);
        return new ReadAnswer(string.Concat(text), calls, broken);
    }
}

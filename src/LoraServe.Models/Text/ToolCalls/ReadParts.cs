using System.Text;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>What an answer's parts come to: its text and its calls.</summary>
public sealed class ReadParts
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _arguments = new();
    private readonly List<ToolCall> _calls = [];
    private ToolCall? _open;

    /// <summary>All that is no call, what was written of one that broke off included.</summary>
    public string Text => _text.ToString();

    /// <summary>The calls that are whole.</summary>
    public IReadOnlyList<ToolCall> Calls => _calls;

    /// <summary>Takes the next part.</summary>
    public void Add(in AnswerPart part)
    {
        switch (part.Kind)
        {
            case AnswerPartKind.CallBegin:
                _open = new ToolCall(part.Id, part.Text, "");
                _arguments.Clear();
                break;
            case AnswerPartKind.Arguments:
                _arguments.Append(part.Text);
                break;
            case AnswerPartKind.CallEnd:
                _calls.Add(_open! with { Arguments = _arguments.ToString() });
                break;
            default:
                _text.Append(part.Text);
                break;
        }
    }
}

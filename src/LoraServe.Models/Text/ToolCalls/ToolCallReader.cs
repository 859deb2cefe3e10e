using System.Text;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Parts what a model says from the calls that it makes, as its answer comes. Belongs to one answer.</summary>
/// <remarks>
/// Texts go in as they come, in pieces of any length, and parts come out as soon as they are certain; what the parts hold does not depend on the pieces.
/// Nothing is lost and nothing thrown: what looks like a call and is none comes out as text. White space between text and calls belongs to neither.
/// </remarks>
public sealed class ToolCallReader : ICallSink
{
    private readonly ToolCallForm _form;
    private readonly ToolSet _tools;
    private readonly ToolCallIds _ids;
    private readonly string[] _markers;
    private readonly StringBuilder _space = new();   // that may turn out to stand ahead of a call
    private readonly StringBuilder _written = new(); // since the calls began, or the last of them ended
    private readonly StringBuilder _run = new();     // of one part
    private AnswerPartKind _kind;
    private List<AnswerPart> _parts = [];
    private string _held = ""; // that a marker begins with
    private CallSyntax? _syntax;
    private bool _hasText;
    private bool _hasCall; // in what is being read
    private bool _isOpen;
    private int _calls;

    internal ToolCallReader(ToolCallForm form, ToolSet tools, ToolCallIds ids)
    {
        _form = form;
        _tools = tools;
        _ids = ids;
        _markers = [.. form.Openings, .. form.Wrappers];
    }

    bool ICallSink.IsOpen => _isOpen;

    /// <summary>Takes more of the answer.</summary>
    /// <returns>The parts that are certain now.</returns>
    public IReadOnlyList<AnswerPart> Append(ReadOnlySpan<char> text)
    {
        foreach (char letter in text)
        {
            Take(letter);
        }

        return Parts();
    }

    /// <summary>The answer is at its end.</summary>
    /// <returns>What was held back until now.</returns>
    public IReadOnlyList<AnswerPart> Finish()
    {
        if (_syntax is not null)
        {
            _syntax.Finish(this);
            if (_isOpen || !_hasCall || !_syntax.MayEnd)
            {
                GiveUp();
            }
        }

        Say(_held);
        if (_calls == 0)
        {
            Add(AnswerPartKind.Text, _space);
        }

        return Parts();
    }

    void ICallSink.Begin(string name)
    {
        Flush();
        _parts.Add(new AnswerPart(AnswerPartKind.CallBegin, name, _calls, _ids.Of(_calls, _form.HasShortIds)));
        _isOpen = true;
    }

    void ICallSink.Add(char letter) => Add(AnswerPartKind.Arguments, letter);

    void ICallSink.End()
    {
        Flush();
        _parts.Add(new AnswerPart(AnswerPartKind.CallEnd, "", _calls));
        _calls++;
        _isOpen = false;
        _hasCall = true;
        _written.Clear();
    }

    private void Take(char letter)
    {
        if (_syntax is null)
        {
            TakeText(letter);
            return;
        }

        _written.Append(letter);
        switch (_syntax.Push(letter, this))
        {
            case SyntaxStep.Last:
                Leave();
                break;
            case SyntaxStep.Behind:
                string again = _syntax.Untaken + letter;
                _written.Length -= again.Length;
                Leave();
                foreach (char untaken in again)
                {
                    Take(untaken);
                }

                break;
            case SyntaxStep.Wrong:
                _written.Length--;
                GiveUp();
                Take(letter);
                break;
        }
    }

    private void TakeText(char letter)
    {
        if (letter == _form.First && !_hasText && _calls == 0 && _held.Length == 0)
        {
            Enter("");
            Take(letter);
            return;
        }

        if (_held.Length == 0 && !Array.Exists(_markers, marker => marker[0] == letter))
        {
            Say(letter);
            return;
        }

        _held += letter;
        while (_held.Length > 0 && !Array.Exists(_markers, marker => marker.StartsWith(_held, StringComparison.Ordinal)))
        {
            Say(_held[0]);
            _held = _held[1..];
        }

        if (_form.Openings.Contains(_held))
        {
            Enter(_held);
        }
        else if (_form.Wrappers.Contains(_held))
        {
            _held = "";
        }
    }

    private void Enter(string opening)
    {
        _held = "";
        _written.Append(_space).Append(opening);
        _space.Clear();
        _hasCall = false;
        _syntax = _form.Begin(_tools);
    }

    // The calls came to their end.
    private void Leave()
    {
        if (!_hasCall)
        {
            GiveUp();
        }

        _written.Clear();
        _syntax = null;
    }

    private void GiveUp()
    {
        string written = _written.ToString();
        if (_isOpen)
        {
            Flush();
            _parts.Add(new AnswerPart(AnswerPartKind.CallBroken, written, _calls));
            _calls++;
            _isOpen = false;
        }
        else
        {
            Say(written);
        }

        _written.Clear();
        _syntax = null;
    }

    private void Say(string text)
    {
        foreach (char letter in text)
        {
            Say(letter);
        }
    }

    private void Say(char letter)
    {
        if (char.IsWhiteSpace(letter))
        {
            _space.Append(letter);
            return;
        }

        Add(AnswerPartKind.Text, _space);
        _space.Clear();
        Add(AnswerPartKind.Text, letter);
        _hasText = true;
    }

    private void Add(AnswerPartKind kind, StringBuilder text)
    {
        if (text.Length > 0)
        {
            Turn(kind);
            _run.Append(text);
        }
    }

    private void Add(AnswerPartKind kind, char letter)
    {
        Turn(kind);
        _run.Append(letter);
    }

    private void Turn(AnswerPartKind kind)
    {
        if (_kind != kind)
        {
            Flush();
            _kind = kind;
        }
    }

    private void Flush()
    {
        if (_run.Length > 0)
        {
            _parts.Add(new AnswerPart(_kind, _run.ToString(), _kind == AnswerPartKind.Text ? 0 : _calls));
            _run.Clear();
        }
    }

    private List<AnswerPart> Parts()
    {
        Flush();
        List<AnswerPart> parts = _parts;
        _parts = [];
        return parts;
    }
}

using System.Text;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Reads one call that is a name and a JSON object.</summary>
internal sealed class NamedCallSyntax(NamedCallForm form, string separator, string closing) : CallSyntax
{
    private readonly StringBuilder _head = new();
    private readonly ClosingText _closing = new(closing);
    private readonly JsonScanner _object = new();
    private bool _hasHead;

    public override string Untaken => _closing.Read;

    public override bool MayEnd => _object.IsComplete;

    public override SyntaxStep Push(char letter, ICallSink sink)
    {
        if (!_hasHead)
        {
            return Head(letter);
        }

        if (_object.IsComplete)
        {
            return _closing.Push(letter) ?? (JsonScanner.IsSpace(letter) ? SyntaxStep.Taken : SyntaxStep.Behind);
        }

        if (!sink.IsOpen)
        {
            if (letter != '{')
            {
                return JsonScanner.IsSpace(letter) ? SyntaxStep.Taken : SyntaxStep.Wrong;
            }

            sink.Begin(form.NameIn(_head.ToString()));
        }

        if (!_object.Push(letter))
        {
            return SyntaxStep.Wrong;
        }

        sink.Add(letter);
        if (!_object.IsComplete)
        {
            return SyntaxStep.Taken;
        }

        sink.End();
        return closing.Length == 0 ? SyntaxStep.Last : SyntaxStep.Taken;
    }

    private SyntaxStep Head(char letter)
    {
        _head.Append(letter);
        if (_head.Length < separator.Length || letter != separator[^1] || _head.ToString(_head.Length - separator.Length, separator.Length) != separator)
        {
            return _head.Length <= MaxNameLength ? SyntaxStep.Taken : SyntaxStep.Wrong;
        }

        _head.Length -= separator.Length;
        _hasHead = true;
        return form.NameIn(_head.ToString()).Length > 0 ? SyntaxStep.Taken : SyntaxStep.Wrong;
    }
}

using System.Text;
using System.Text.Encodings.Web;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Reads <c>call:name{…}</c> and hands its arguments on as JSON.</summary>
/// <param name="closing">What closes the call.</param>
/// <param name="quote">What stands ahead of a text and behind it.</param>
internal sealed class QuotedCallSyntax(string closing, string quote) : CallSyntax
{
    private const string Call = "call:";

    private readonly StringBuilder _text = new(); // the name, a key, a word, or what is quoted, with what may be the quote's beginning
    private readonly ClosingText _closing = new(closing);
    private readonly JsonScanner _object = new();
    private bool _isQuoted;
    private bool _isBehindQuoted;

    public override string Untaken => _closing.Read;

    public override bool MayEnd => _object.IsComplete;

    public override SyntaxStep Push(char letter, ICallSink sink)
    {
        if (_object.IsComplete)
        {
            return _closing.Push(letter) ?? (JsonScanner.IsSpace(letter) ? SyntaxStep.Taken : SyntaxStep.Behind);
        }

        if (!sink.IsOpen)
        {
            return Head(letter, sink);
        }

        if (_isQuoted)
        {
            return Quoted(letter, sink);
        }

        if (_text.Length == 0 && JsonScanner.IsSpace(letter))
        {
            return SyntaxStep.Taken;
        }

        if (letter is ':' or ',' or '{' or '}' or '[' or ']')
        {
            return Bare(sink) && Write(letter.ToString(), sink) ? Ended(sink) : SyntaxStep.Wrong;
        }

        _text.Append(letter);
        if (_text.Length == quote.Length && _text.ToString() == quote)
        {
            _isQuoted = true;
            _text.Clear();
            return _isBehindQuoted ? SyntaxStep.Wrong : SyntaxStep.Taken;
        }

        return _text.Length <= MaxNameLength ? SyntaxStep.Taken : SyntaxStep.Wrong;
    }

    private SyntaxStep Head(char letter, ICallSink sink)
    {
        if (letter == '{')
        {
            string head = _text.ToString().Trim();
            string name = head.StartsWith(Call, StringComparison.Ordinal) ? head[Call.Length..].Trim() : "";
            if (name.Length == 0)
            {
                return SyntaxStep.Wrong;
            }

            _text.Clear();
            sink.Begin(name);
            Write("{", sink);
            return SyntaxStep.Taken;
        }

        _text.Append(letter);
        return _text.Length <= Call.Length + MaxNameLength ? SyntaxStep.Taken : SyntaxStep.Wrong;
    }

    private SyntaxStep Quoted(char letter, ICallSink sink)
    {
        _text.Append(letter);
        if (letter != quote[^1] || _text.Length < quote.Length || _text.ToString(_text.Length - quote.Length, quote.Length) != quote)
        {
            return SyntaxStep.Taken;
        }

        _text.Length -= quote.Length;
        _isQuoted = false;
        _isBehindQuoted = true;
        bool fits = Write($"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(_text.ToString())}\"", sink);
        _text.Clear();
        return fits ? SyntaxStep.Taken : SyntaxStep.Wrong;
    }

    // A key is a text without quotes; a value without them is a number or a word of JSON, or a text all the same.
    private bool Bare(ICallSink sink)
    {
        string bare = _text.ToString().TrimEnd();
        _text.Clear();
        bool isBehind = _isBehindQuoted;
        _isBehindQuoted = false;
        if (bare.Length == 0)
        {
            return true;
        }

        return !isBehind && Write(!_object.ExpectsKey && JsonScanner.IsValue(bare) ? bare : $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(bare)}\"", sink);
    }

    private bool Write(string json, ICallSink sink)
    {
        foreach (char letter in json)
        {
            if (!_object.Push(letter))
            {
                return false;
            }

            sink.Add(letter);
        }

        return true;
    }

    private SyntaxStep Ended(ICallSink sink)
    {
        if (_object.IsComplete)
        {
            sink.End();
        }

        return SyntaxStep.Taken;
    }
}

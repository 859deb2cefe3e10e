using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Reads calls whose arguments stand between tags, and hands them on as JSON, each when its value is whole.</summary>
internal sealed class ParameterCallSyntax : CallSyntax
{
    private const string IsTextMark = "string=\"true\"";
    private const string IsJsonMark = "string=\"false\"";

    private static readonly SearchValues<char> s_noName = SearchValues.Create("<>{}\"\n");

    private readonly ParameterCallForm _form;
    private readonly ToolSet _tools;
    private readonly StringBuilder _text = new();
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private Place _place;
    private string _name = "";
    private string _key = "";
    private string _marks = "";

    public ParameterCallSyntax(ParameterCallForm form, ToolSet tools)
    {
        _form = form;
        _tools = tools;
        _place = form.NameFrom.Length > 0 ? Place.BetweenCalls : Place.Name;
    }

    private enum Place
    {
        BetweenCalls,
        Name,
        BetweenArguments,
        Key,
        BeforeValue,
        Value,
    }

    public override bool MayEnd => _place == Place.BetweenCalls;

    public override string Untaken => _place == Place.BetweenCalls ? _text.ToString() : "";

    public override SyntaxStep Push(char letter, ICallSink sink)
    {
        if (_text.Length == 0 && JsonScanner.IsSpace(letter) && _place is Place.BetweenCalls or Place.BetweenArguments or Place.BeforeValue)
        {
            return SyntaxStep.Taken;
        }

        _text.Append(letter);
        switch (_place)
        {
            case Place.BetweenCalls:
                return Tag(_form.NameFrom, _form.Closing) switch
                {
                    0 => Go(Place.Name),
                    1 => SyntaxStep.Last,
                    null => SyntaxStep.Taken,
                    _ => Back(),
                };
            case Place.Name:
                return Name(sink);
            case Place.BetweenArguments:
                return Tag(_form.KeyFrom, _form.End) switch
                {
                    0 => Go(Place.Key),
                    1 => EndCall(sink),
                    null => SyntaxStep.Taken,
                    _ => SyntaxStep.Wrong,
                };
            case Place.Key:
                return EndsWith(_form.KeyTo) ? Key() : Bounded();
            case Place.BeforeValue:
                return Tag(_form.ValueFrom, "") switch
                {
                    0 => Go(Place.Value),
                    null => SyntaxStep.Taken,
                    _ => SyntaxStep.Wrong,
                };
            default:
                return EndsWith(_form.ValueTo) ? Value(sink) : SyntaxStep.Taken;
        }
    }

    private SyntaxStep Name(ICallSink sink)
    {
        bool isPlain = _form.NameTo.Length == 0;
        bool hasArguments = isPlain && EndsWith(_form.KeyFrom);
        bool hasNone = isPlain && EndsWith(_form.End);
        if (!hasArguments && !hasNone && (isPlain || !EndsWith(_form.NameTo)))
        {
            return Bounded();
        }

        _name = _text.ToString().Trim();
        _text.Clear();
        if (_name.Length == 0 || _name.AsSpan().ContainsAny(s_noName))
        {
            return SyntaxStep.Wrong;
        }

        _keys.Clear();
        sink.Begin(_name);
        sink.Add('{');
        _place = hasArguments ? Place.Key : Place.BetweenArguments;
        return hasNone ? EndCall(sink) : SyntaxStep.Taken;
    }

    // Behind the name a tag may have more to say, which is of no meaning here but for what type the value has.
    private SyntaxStep Key()
    {
        string key = _text.ToString();
        int quote = key.IndexOf('"', StringComparison.Ordinal);
        _marks = quote < 0 ? "" : key[quote..];
        _key = (quote < 0 ? key : key[..quote]).Trim();
        return _key.Length > 0 && _keys.Add(_key) ? Go(_form.ValueFrom.Length > 0 ? Place.BeforeValue : Place.Value) : SyntaxStep.Wrong;
    }

    private SyntaxStep Value(ICallSink sink)
    {
        string value = _text.ToString();
        bool isText = _marks.Contains(IsTextMark, StringComparison.Ordinal) || (!_marks.Contains(IsJsonMark, StringComparison.Ordinal) && _tools.IsText(_name, _key));
        Write(_keys.Count > 1 ? ", " : "", sink);
        Write(Text(_key), sink);
        Write(": ", sink);
        Write((isText ? null : Plain(value)) ?? Text(WithoutLines(value)), sink);
        return Go(Place.BetweenArguments);
    }

    // The templates put values on lines of their own.
    private static string WithoutLines(string value)
    {
        int from = value.StartsWith('\n') ? 1 : 0;
        int to = value.Length - (value.Length > from && value.EndsWith('\n') ? 1 : 0);
        return value[from..to];
    }

    private static string? Plain(string value)
    {
        string trimmed = value.Trim();
        return JsonScanner.IsValue(trimmed) ? trimmed : PythonCalls.ReadValue(trimmed);
    }

    private static string Text(string text) => $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)}\"";

    private static void Write(string json, ICallSink sink)
    {
        foreach (char letter in json)
        {
            sink.Add(letter);
        }
    }

    private SyntaxStep EndCall(ICallSink sink)
    {
        sink.Add('}');
        sink.End();
        Go(Place.BetweenCalls);
        return _form.Closing.Length == 0 ? SyntaxStep.Last : SyntaxStep.Taken;
    }

    /// <summary>Which of two tags has been read; null where it may be one yet, −1 where it is none.</summary>
    private int? Tag(string first, string second)
    {
        string text = _text.ToString();
        return text == first ? 0 : text == second ? 1
            : first.StartsWith(text, StringComparison.Ordinal) || second.StartsWith(text, StringComparison.Ordinal) ? null
            : -1;
    }

    private SyntaxStep Back()
    {
        _text.Length--;
        return SyntaxStep.Behind;
    }

    private SyntaxStep Bounded() => _text.Length <= MaxNameLength ? SyntaxStep.Taken : SyntaxStep.Wrong;

    private SyntaxStep Go(Place place)
    {
        _text.Clear();
        _place = place;
        return SyntaxStep.Taken;
    }

    /// <summary>Whether a tag has just been read, which is then taken off.</summary>
    private bool EndsWith(string tag)
    {
        bool isRead = _text.Length >= tag.Length && _text[^1] == tag[^1] && _text.ToString(_text.Length - tag.Length, tag.Length) == tag;
        _text.Length -= isRead ? tag.Length : 0;
        return isRead;
    }
}

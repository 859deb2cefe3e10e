using System.Text;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Reads calls that are JSON objects. Arguments are handed on as they come where the name came before them.</summary>
/// <param name="closing">What closes the calls; empty for nothing.</param>
/// <param name="isNamedByKey">Whether an object's only name is the tool's.</param>
/// <param name="tools">The only tools that can be called; null: a call of any other is one, too.</param>
internal sealed class JsonCallSyntax(string closing, bool isNamedByKey, ToolSet? tools) : CallSyntax
{
    private static readonly string[] s_names = ["name", "tool_name"];
    private static readonly string[] s_arguments = ["arguments", "parameters"];

    private readonly ClosingText _closing = new(closing);
    private readonly StringBuilder _member = new(); // the name or the value that is being read
    private JsonScanner? _object;
    private string _key = "";
    private string? _name;
    private string? _arguments; // read ahead of the name
    private bool _isForwarded;
    private bool _isInKey;
    private bool _isInValue;
    private bool _hasCall; // in this object

    public override string Untaken => _closing.Read;

    public override bool MayEnd => _object is null;

    public override SyntaxStep Push(char letter, ICallSink sink)
    {
        if (_object is null)
        {
            return Between(letter);
        }

        if (_object.Depth == 1 && _object.ExpectsKey && letter == '"')
        {
            _isInKey = true;
            _member.Clear();
        }
        else if (_object.Depth == 1 && _object.ExpectsValue && !JsonScanner.IsSpace(letter))
        {
            _isInValue = true;
            _member.Clear();
            BeginValue(letter, sink);
        }

        if (!_object.Push(letter))
        {
            return SyntaxStep.Wrong;
        }

        if (_isInKey || _isInValue)
        {
            return Member(letter, sink);
        }

        return _object.IsComplete ? EndObject(sink) : SyntaxStep.Taken;
    }

    private SyntaxStep Between(char letter)
    {
        if (_closing.Push(letter) is { } step)
        {
            return step;
        }

        if (letter == '{')
        {
            _object = new JsonScanner();
            _name = _arguments = null;
            _hasCall = false;
            _object.Push(letter);
            return SyntaxStep.Taken;
        }

        return JsonScanner.IsSpace(letter) || letter is ',' or ';' or '[' or ']' ? SyntaxStep.Taken : SyntaxStep.Behind;
    }

    private void BeginValue(char letter, ICallSink sink)
    {
        _name = isNamedByKey ? _key : _name;
        _isForwarded = letter == '{' && IsArguments && !_hasCall && IsTool(_name);
        if (_isForwarded)
        {
            sink.Begin(_name!);
        }
    }

    private bool IsArguments => isNamedByKey || s_arguments.Contains(_key);

    private bool IsTool(string? name) => name is { Length: > 0 and <= MaxNameLength } && tools?.Has(name) != false;

    // A name ends with its last letter; so does a value, but for numbers and words, which end before the letter behind them.
    private SyntaxStep Member(char letter, ICallSink sink)
    {
        bool isLast = _isInKey ? _object!.IsBehindKey : _object!.Depth == 1 && _object.IsBehindValue;
        bool isBehind = _isInValue && !isLast && (_object.Depth == 0 || (_object.Depth == 1 && _object.ExpectsKey));
        if (_isForwarded)
        {
            sink.Add(letter);
        }
        else if (!isBehind)
        {
            _member.Append(letter);
        }

        if (!isLast && !isBehind)
        {
            return SyntaxStep.Taken;
        }

        if (_isInKey)
        {
            _isInKey = false;
            _key = JsonText.Parse(_member.ToString()) ?? "";
            return SyntaxStep.Taken;
        }

        _isInValue = false;
        if (_isForwarded)
        {
            _isForwarded = false;
            _hasCall = true;
            sink.End();
        }
        else
        {
            Keep(_member.ToString());
        }

        return _object.IsComplete ? EndObject(sink) : SyntaxStep.Taken;
    }

    private void Keep(string value)
    {
        if (s_names.Contains(_key))
        {
            _name ??= JsonText.Parse(value);
        }
        else if (IsArguments)
        {
            _arguments ??= value.StartsWith('"') ? JsonText.Parse(value) : value;
        }
    }

    private SyntaxStep EndObject(ICallSink sink)
    {
        if (!_hasCall)
        {
            string? arguments = _arguments is null or "null" ? "{}" : _arguments;
            if (isNamedByKey || !IsTool(_name) || (tools is not null && _arguments is null) || !JsonScanner.IsObject(arguments))
            {
                return SyntaxStep.Wrong;
            }

            sink.Add(_name!, arguments);
        }

        _object = null;
        return SyntaxStep.Taken;
    }
}

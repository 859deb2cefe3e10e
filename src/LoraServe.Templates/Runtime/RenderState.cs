using System.Runtime.CompilerServices;
using System.Text;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Runtime;

/// <summary>One rendering: scope, output, clock and the budget that keeps hostile templates from running away.</summary>
internal sealed class RenderState
{
    private const long MaxSteps = 10_000_000;
    private const int MaxCallDepth = 250;

    private readonly int _maxText = 16 * 1024 * 1024;
    private StringBuilder _output = new();
    private readonly List<(int Start, int End)> _generated = [];
    private int _captures;
    private long _steps;
    private int _callDepth;

    /// <param name="names">What the language and the template name before anything is set.</param>
    /// <param name="clock">What <c>strftime_now</c> reads.</param>
    public RenderState(Scope names, TimeProvider clock)
    {
        Clock = clock;
        RootScope = Scope = new Scope(names);
    }

    public Scope RootScope { get; }

    public Scope Scope { get; set; }

    public TimeProvider Clock { get; }

    /// <summary>The line of the template that is being evaluated.</summary>
    public int Line { get; private set; } = 1;

    /// <summary>How much has been written into what is being written now.</summary>
    public int OutputLength => _output.Length;

    /// <summary>The parts of the output that are the model's own, in order.</summary>
    public IReadOnlyList<(int Start, int End)> Generated => _generated;

    public string Render(IReadOnlyList<Statement> body)
    {
        Execute(body);
        return _output.ToString();
    }

    /// <summary>Notes what has been written since as the model's own. What is captured, such as a macro's text, has no place in the output yet.</summary>
    public void MarkGenerated(int start)
    {
        if (_captures == 0)
        {
            _generated.Add((start, _output.Length));
        }
    }

    public object? Evaluate(Expression expression)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        Charge(1);
        Line = expression.Line;
        return expression.Evaluate(this);
    }

    public object?[] EvaluateAll(IReadOnlyList<Expression> expressions)
    {
        object?[] values = new object?[expressions.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Evaluate(expressions[i]);
        }

        return values;
    }

    public Completion Execute(IReadOnlyList<Statement> body)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        for (int i = 0; i < body.Count; i++)
        {
            Charge(1);
            Line = body[i].Line;
            Completion completion = body[i].Execute(this);
            if (completion != Completion.Normal)
            {
                return completion;
            }
        }

        return Completion.Normal;
    }

    public object? Lookup(string name) =>
        Scope.TryGet(name, out object? value) ? value : new Undefined($"{PythonText.Repr(name)} is undefined");

    public object? Call(object? target, CallArguments arguments) => target switch
    {
        ICallable callable => callable.Invoke(this, arguments),
        Undefined undefined => throw undefined.Error(),
        _ => throw new EvaluationError($"'{TypeName.Of(target)}' object is not callable"),
    };

    /// <summary>The text that a body writes, run in a scope of its own.</summary>
    public string Capture(Scope scope, IReadOnlyList<Statement> body) => Capture(scope, () => Execute(body));

    /// <summary>Like <see cref="Capture(Scope, IReadOnlyList{Statement})"/>, counted as a call that may recurse.</summary>
    public string CaptureCall(Scope scope, IReadOnlyList<Statement> body) => CaptureCall(scope, () => Execute(body));

    /// <inheritdoc cref="CaptureCall(Scope, IReadOnlyList{Statement})"/>
    public string CaptureCall(Scope scope, Action run)
    {
        if (++_callDepth > MaxCallDepth)
        {
            throw new EvaluationError($"maximum recursion depth exceeded: macros call each other more than {MaxCallDepth} deep");
        }

        string text = Capture(scope, run);
        _callDepth--;
        return text;
    }

    public void Write(string text)
    {
        Charge(text.Length / 8);
        CheckLength((long)_output.Length + text.Length);
        _output.Append(text);
    }

    /// <summary>Accounts for a text that was just made, and hands it on.</summary>
    public string Text(string text)
    {
        Charge(text.Length / 8);
        return text;
    }

    /// <summary>Refuses a text of this many characters before it is made.</summary>
    public void CheckLength(long characters)
    {
        if (characters > _maxText)
        {
            throw new EvaluationError($"the template makes a text of more than {_maxText} characters");
        }
    }

    public void Charge(long steps)
    {
        _steps += steps;
        if (_steps > MaxSteps)
        {
            throw new EvaluationError($"the template takes more than {MaxSteps} steps");
        }
    }

    /// <summary>What Python's str() gives.</summary>
    public string ToText(object? value) => value switch
    {
        string text => text,
        Markup markup => markup.Text,
        Undefined => "",
        _ => Printer.Repr(this, value),
    };

    /// <summary>Walks a value, each item counted.</summary>
    public IEnumerable<object?> Iterate(object? value)
    {
        IEnumerable<object?> items = value switch
        {
            SequenceValue sequence => sequence.Items,
            DictValue dict => dict.Keys,
            string text => PythonText.Characters(text),
            Markup markup => PythonText.Characters(markup.Text),
            RangeValue range => range.Items,
            Generator generator => generator.Items,
            DictView view => view.Items,
            Undefined => [],
            _ => throw new EvaluationError($"'{TypeName.Of(value)}' object is not iterable"),
        };
        return Counting(items);
    }

    /// <summary>Items in a new array, each counted as what it takes to keep it.</summary>
    public object?[] Counted(IEnumerable<object?> items) => Counting(items).ToArray();

    private IEnumerable<object?> Counting(IEnumerable<object?> items)
    {
        foreach (object? item in items)
        {
            Charge(2);
            yield return item;
        }
    }

    private string Capture(Scope scope, Action run)
    {
        (Scope outerScope, StringBuilder outerOutput) = (Scope, _output);
        (Scope, _output) = (scope, new StringBuilder());
        _captures++;
        run();
        _captures--;
        string text = Text(_output.ToString());
        (Scope, _output) = (outerScope, outerOutput);
        return text;
    }
}

using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Statements;

/// <summary>The <c>loop</c> of a for loop; a recursive loop can be called with the sequence to go on with.</summary>
internal sealed class LoopValue(For statement, List<object?> items, int depth, Scope outer) : ICallable, IAttributes, IObject
{
    private object? _lastChanged;

    public int Index0 { get; set; }

    public string TypeName => "LoopContext";

    public string Repr => $"<LoopContext {Index0 + 1}>";

    public bool TryGetAttribute(string name, out object? value)
    {
        bool known = true;
        value = name switch
        {
            "index" => Index0 + 1L,
            "index0" => (long)Index0,
            "revindex" => (long)(items.Count - Index0),
            "revindex0" => (long)(items.Count - Index0 - 1),
            "first" => Index0 == 0,
            "last" => Index0 == items.Count - 1,
            "length" => (long)items.Count,
            "depth" => (long)depth,
            "depth0" => depth - 1L,
            "previtem" => Index0 > 0 ? items[Index0 - 1] : new Undefined("there is no previous item"),
            "nextitem" => Index0 + 1 < items.Count ? items[Index0 + 1] : new Undefined("there is no next item"),
            "cycle" => new NativeFunction("cycle", "*args", Cycle),
            "changed" => new NativeFunction("changed", "*value", (_, a) => Changed(a)),
            _ => known = false,
        };
        return known;
    }

    public object? Invoke(RenderState state, CallArguments arguments)
    {
        if (!statement.Recursive)
        {
            throw new EvaluationError("The loop must have the 'recursive' marker to be called recursively.");
        }

        if (arguments.Positional.Count != 1 || arguments.Named.Count > 0)
        {
            throw new EvaluationError("loop() takes the one sequence to go on with");
        }

        return state.CaptureCall(outer, () => statement.Run(state, arguments.Positional[0], depth + 1));
    }

    private object? Cycle(RenderState state, Arguments arguments) => arguments.Rest.Count > 0
        ? arguments.Rest[Index0 % arguments.Rest.Count]
        : throw new EvaluationError("no items for cycling given");

    private bool Changed(Arguments arguments)
    {
        TupleValue current = new(arguments.Rest);
        if (_lastChanged is not null && ValueEquality.AreEqual(_lastChanged, current))
        {
            return false;
        }

        _lastChanged = current;
        return true;
    }
}

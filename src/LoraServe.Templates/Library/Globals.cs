using System.Numerics;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>The functions that every template has.</summary>
internal static class Globals
{
    /// <summary>The names of all templates; nobody sets one in it.</summary>
    public static Scope Scope { get; } = Build();

    private static Scope Build()
    {
        Scope functions = new(null);
        Add("range", "start stop? step?", Range);
        Add("dict", "items? **named", Dict);
        Add("namespace", "items? **named", Namespace);
        Add("cycler", "*items", (_, a) => a.Rest.Count > 0
            ? new CyclerValue(a.Rest)
            : throw new EvaluationError("at least one item has to be provided"));
        Add("joiner", "sep?", (state, a) => new JoinerValue(a.Has(0) ? state.ToText(a[0]) : ", "));
        Add("raise_exception", "message", (state, a) => throw new RaisedByTemplateError(state.ToText(a[0])));
        Add("strftime_now", "format", (state, a) => TimeFormat.Format(state.Clock.GetLocalNow().DateTime, a.Text(0)));
        return functions;

        void Add(string name, string signature, Func<RenderState, Arguments, object?> body) =>
            functions.Set(name, new NativeFunction(name, signature, body));
    }

    private static RangeValue Range(RenderState state, Arguments a)
    {
        long[] bounds = [.. Enumerable.Range(0, 3).Where(a.Has).Select(i => Bound(a[i]))];
        return bounds.Length == 1 ? new RangeValue(0, bounds[0], 1)
            : new RangeValue(bounds[0], bounds[1], bounds.Length > 2 ? bounds[2] : 1);
    }

    private static long Bound(object? value)
    {
        if (value is Undefined undefined)
        {
            throw undefined.Error();
        }

        if (!Numbers.TryInteger(value, out BigInteger number))
        {
            throw new EvaluationError($"'{TypeName.Of(value)}' object cannot be interpreted as an integer");
        }

        return number >= int.MinValue && number <= int.MaxValue
            ? (long)number
            : throw new EvaluationError($"range() bound {number} is too large");
    }

    private static DictValue Dict(RenderState state, Arguments a)
    {
        DictValue dict = new();
        foreach ((object? key, object? value) in Pairs(state, a[0]))
        {
            dict.Set(key, value);
        }

        foreach ((string name, object? value) in a.Named)
        {
            dict.Set(name, value);
        }

        state.Charge(dict.Weight);
        return dict;
    }

    private static NamespaceValue Namespace(RenderState state, Arguments a)
    {
        NamespaceValue space = new();
        foreach ((object? key, object? value) in Dict(state, a).Items)
        {
            space.Set(key as string ?? throw new EvaluationError("attribute name must be string"), value);
        }

        return space;
    }

    private static IEnumerable<KeyValuePair<object?, object?>> Pairs(RenderState state, object? value)
    {
        if (value is null)
        {
            return [];
        }

        return value is DictValue dict ? dict.Items : state.Iterate(value).Select(item =>
        {
            List<object?> pair = state.Iterate(item).Take(3).ToList();
            return pair.Count == 2
                ? KeyValuePair.Create(pair[0], pair[1])
                : throw new EvaluationError("dictionary update sequence elements must have length 2");
        });
    }
}

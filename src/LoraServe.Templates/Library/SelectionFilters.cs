using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>map, select, reject and their relatives; all yield generators, so that nothing runs, and nothing fails, before it is asked for.</summary>
internal static class SelectionFilters
{
    public static void Register(Action<string, string, Func<RenderState, Arguments, object?>> add)
    {
        add("map", "value *args **kwargs", (state, a) => new Generator(Map(state, a)));
        AddSelection("select", byAttribute: false, wanted: true);
        AddSelection("reject", byAttribute: false, wanted: false);
        AddSelection("selectattr", byAttribute: true, wanted: true);
        AddSelection("rejectattr", byAttribute: true, wanted: false);

        void AddSelection(string name, bool byAttribute, bool wanted) =>
            add(name, "value *args **kwargs", (state, a) => new Generator(Select(state, a, byAttribute, wanted)));
    }

    private static IEnumerable<object?> Map(RenderState state, Arguments a)
    {
        // None and other false values count as empty here.
        if (!Truth.Of(a[0]))
        {
            yield break;
        }

        Func<object?, object?> map = MapFunction(state, a);
        foreach (object? item in state.Iterate(a[0]))
        {
            yield return map(item);
        }
    }

    private static Func<object?, object?> MapFunction(RenderState state, Arguments a)
    {
        if (a.Rest.Count > 0)
        {
            NativeFunction filter = Filters.Get(state.ToText(a.Rest[0]));
            return item => filter.Invoke(state, new CallArguments([item, .. a.Rest.Skip(1)], [.. a.Named]));
        }

        if (a.Named.All(argument => argument.Key != "attribute"))
        {
            throw new EvaluationError("map requires a filter argument");
        }

        if (a.Named.FirstOrDefault(argument => argument.Key is not ("attribute" or "default")).Key is { } unknown)
        {
            throw new EvaluationError($"Unexpected keyword argument '{unknown}'");
        }

        return Selection.Attribute(
            a.Named.First(argument => argument.Key == "attribute").Value,
            a.Named.FirstOrDefault(argument => argument.Key == "default").Value);
    }

    private static IEnumerable<object?> Select(RenderState state, Arguments a, bool byAttribute, bool wanted)
    {
        if (!Truth.Of(a[0]))
        {
            yield break;
        }

        if (byAttribute && a.Rest.Count == 0)
        {
            throw new EvaluationError("Missing parameter for attribute name");
        }

        Func<object?, object?> select = byAttribute ? Selection.Attribute(a.Rest[0]) : item => item;
        Func<object?, bool> test = TestFunction(state, a, a.Rest.Skip(byAttribute ? 1 : 0).ToList());
        foreach (object? item in state.Iterate(a[0]))
        {
            if (test(select(item)) == wanted)
            {
                yield return item;
            }
        }
    }

    private static Func<object?, bool> TestFunction(RenderState state, Arguments a, List<object?> arguments)
    {
        if (arguments.Count == 0)
        {
            return Truth.Of;
        }

        NativeFunction test = Tests.Get(state.ToText(arguments[0]));
        return item => Truth.Of(test.Invoke(state, new CallArguments([item, .. arguments.Skip(1)], [.. a.Named])));
    }
}

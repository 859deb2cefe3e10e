namespace LoraServe.Tokenization.Templates;

/// <summary>map, select, reject and their relatives; all yield generators.</summary>
internal static class SelectionFilters
{
    public static void Register(Action<string, string, Func<RenderState, Arguments, object?>> add)
    {
        add("map", "value *args **kwargs", Map);
        add("select", "value *args **kwargs", (state, a) => Select(state, a, byAttribute: false, wanted: true));
        add("reject", "value *args **kwargs", (state, a) => Select(state, a, byAttribute: false, wanted: false));
        add("selectattr", "value *args **kwargs", (state, a) => Select(state, a, byAttribute: true, wanted: true));
        add("rejectattr", "value *args **kwargs", (state, a) => Select(state, a, byAttribute: true, wanted: false));
    }

    private static Generator Map(RenderState state, Arguments a)
    {
        if (a.Rest.Count > 0)
        {
            NativeFunction filter = Filters.Get(state.ToText(a.Rest[0]));
            return new Generator(state.Iterate(a[0]).Select(item =>
                filter.Invoke(state, new CallArguments([item, .. a.Rest.Skip(1)], [.. a.Named]))));
        }

        if (a.Named.All(argument => argument.Key != "attribute"))
        {
            throw new EvaluationError("map requires a filter argument");
        }

        if (a.Named.FirstOrDefault(argument => argument.Key is not ("attribute" or "default")).Key is { } unknown)
        {
            throw new EvaluationError($"Unexpected keyword argument '{unknown}'");
        }

        object? attribute = a.Named.First(argument => argument.Key == "attribute").Value;
        object? byDefault = a.Named.FirstOrDefault(argument => argument.Key == "default").Value;
        return new Generator(state.Iterate(a[0]).Select(Selection.Attribute(attribute, byDefault)));
    }

    private static Generator Select(RenderState state, Arguments a, bool byAttribute, bool wanted)
    {
        if (byAttribute && a.Rest.Count == 0)
        {
            throw new EvaluationError("Missing parameter for attribute name");
        }

        Func<object?, object?> select = byAttribute ? Selection.Attribute(a.Rest[0]) : item => item;
        List<object?> rest = a.Rest.Skip(byAttribute ? 1 : 0).ToList();
        Func<object?, bool> test = Operators.IsTrue;
        if (rest.Count > 0)
        {
            NativeFunction named = Tests.Get(state.ToText(rest[0]));
            test = item => Operators.IsTrue(named.Invoke(state, new CallArguments([item, .. rest.Skip(1)], [.. a.Named])));
        }

        return new Generator(state.Iterate(a[0]).Where(item => test(select(item)) == wanted));
    }
}

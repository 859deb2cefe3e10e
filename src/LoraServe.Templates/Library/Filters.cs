using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>The filters by name.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, NativeFunction> s_filters = Build();

    public static bool Exists(string name) => s_filters.ContainsKey(name);

    public static NativeFunction Get(string name) =>
        s_filters.TryGetValue(name, out NativeFunction? filter) ? filter : throw new EvaluationError($"No filter named '{name}'.");

    private static Dictionary<string, NativeFunction> Build()
    {
        Dictionary<string, NativeFunction> filters = [];
        TextFilters.Register(Add);
        LayoutFilters.Register(Add);
        NumberFilters.Register(Add);
        SequenceFilters.Register(Add);
        SelectionFilters.Register(Add);
        filters["d"] = filters["default"];
        filters["e"] = filters["escape"];
        filters["count"] = filters["length"];
        return filters;

        void Add(string name, string signature, Func<RenderState, Arguments, object?> body) =>
            filters.Add(name, new NativeFunction(name, signature, body));
    }
}

using LoraServe.Templates.Python;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>Filters over whole sequences.</summary>
internal static class SequenceFilters
{
    public static void Register(Action<string, string, Func<RenderState, Arguments, object?>> add)
    {
        add("length", "value", (_, a) => Length(a[0]));
        add("first", "value", (state, a) => state.Iterate(a[0]).DefaultIfEmpty(new Undefined("No first item, sequence was empty.")).First());
        add("last", "value", (state, a) => state.Iterate(a[0] is Generator
            ? throw new EvaluationError($"'{TypeName.Of(a[0])}' object is not reversible")
            : a[0]).DefaultIfEmpty(new Undefined("No last item, sequence was empty.")).Last());
        add("random", "value", (state, a) => state.Iterate(a[0]).DefaultIfEmpty(new Undefined("No random item, sequence was empty.")).First());
        add("list", "value", (state, a) => new ListValue(state.Counted(state.Iterate(a[0]))));
        add("reverse", "value", Reverse);
        add("join", "value d? attribute?", Join);
        add("items", "value", (_, a) => a[0] switch
        {
            DictValue dict => new Generator(Methods.Pairs(dict)),
            Undefined => new Generator([]),
            _ => throw new EvaluationError("Can only get item pairs from a mapping."),
        });
        add("dictsort", "value case_sensitive? by? reverse?", DictSort);
        add("sort", "value reverse? case_sensitive? attribute?", (state, a) =>
            new ListValue(state.Counted(Ordering.Sort(state, state.Iterate(a[0]), Ordering.Key(state, a[3], a.IsTrue(2)), a.IsTrue(1)))));
        add("unique", "value case_sensitive? attribute?", (state, a) =>
            new Generator(state.Iterate(a[0]).DistinctBy(Key(state, a[2], a.IsTrue(1)), ValueEquality.Instance)));
        add("min", "value case_sensitive? attribute?", (state, a) => Extreme(state, a, reverse: false));
        add("max", "value case_sensitive? attribute?", (state, a) => Extreme(state, a, reverse: true));
        add("sum", "iterable attribute? start?", Sum);
        add("batch", "value linecount fill_with?", (state, a) => new Generator(Batch(state, a)));
        add("slice", "value slices fill_with?", (state, a) => new Generator(Slices(state, a)));
        add("groupby", "value attribute default? case_sensitive?", GroupBy);
        add("attr", "value name", (state, a) => Access.AttributeOnly(a[0], state.ToText(a[1])));
    }

    private static long Length(object? value) => value switch
    {
        string text => PythonText.Length(text),
        Markup markup => PythonText.Length(markup.Text),
        SequenceValue sequence => sequence.Items.Count,
        DictValue dict => dict.Count,
        DictView view => view.Count,
        RangeValue range => range.Count,
        Undefined => 0L,
        _ => throw new EvaluationError($"object of type '{TypeName.Of(value)}' has no len()"),
    };

    private static object Reverse(RenderState state, Arguments a)
    {
        if (Markup.TextOf(a[0]) is { } text)
        {
            return state.Text(string.Concat(PythonText.Characters(text).Reverse()));
        }

        return new Generator(state.Counted(state.Iterate(a[0])).Reverse(), "reversed");
    }

    private static string Join(RenderState state, Arguments a)
    {
        string separator = a.Has(1) ? state.ToText(a[1]) : "";
        Func<object?, object?> select = a[2] is null ? item => item : Selection.Attribute(a[2]);
        long length = 0;
        List<string> parts = [];
        foreach (object? item in state.Iterate(a[0]))
        {
            string part = state.ToText(select(item));
            length += part.Length + separator.Length;
            state.CheckLength(length);
            parts.Add(part);
        }

        return state.Text(string.Join(separator, parts));
    }

    private static ListValue DictSort(RenderState state, Arguments a)
    {
        DictValue dict = a[0] switch
        {
            DictValue value => value,
            Undefined undefined => throw undefined.Error(),
            _ => throw new EvaluationError($"'{TypeName.Of(a[0])}' object has no attribute 'items'"),
        };
        string by = a.OptionalText(2) ?? "key";
        if (by is not ("key" or "value"))
        {
            throw new EvaluationError("You can only sort by either \"key\" or \"value\"");
        }

        int position = by == "key" ? 0 : 1;
        Func<object?, object?> fold = Ordering.Key(state, null, a.IsTrue(1));
        return new ListValue(state.Counted(Ordering.Sort(
            state, Methods.Pairs(dict), pair => fold(((TupleValue)pair!).Items[position]), a.IsTrue(3))));
    }

    private static Func<object?, object?> Key(RenderState state, object? attribute, bool caseSensitive) =>
        Ordering.Key(state, attribute, caseSensitive);

    private static object? Extreme(RenderState state, Arguments a, bool reverse)
    {
        object?[] items = state.Counted(state.Iterate(a[0]));
        return items.Length == 0
            ? new Undefined("No aggregated item, sequence was empty.")
            : Ordering.Sort(state, items, Ordering.Key(state, a[2], a.IsTrue(1)), reverse).First();
    }

    private static object? Sum(RenderState state, Arguments a)
    {
        Func<object?, object?> select = a[1] is null ? item => item : Selection.Attribute(a[1]);
        object? total = a.Has(2) ? a[2] : 0L;
        if (Markup.TextOf(total) is not null)
        {
            throw new EvaluationError("sum() can't sum strings [use ''.join(seq) instead]");
        }

        foreach (object? item in state.Iterate(a[0]))
        {
            total = Operators.Apply(state, "+", total, select(item));
        }

        return total;
    }

    private static IEnumerable<object?> Batch(RenderState state, Arguments a)
    {
        int size = a.Integer(1, 0);
        List<object?> row = [];
        foreach (object? item in state.Iterate(a[0]))
        {
            if (row.Count == size)
            {
                yield return new ListValue(row);
                row = [];
            }

            row.Add(item);
        }

        if (row.Count > 0)
        {
            if (a[2] is not null && row.Count < size)
            {
                row.AddRange(state.Counted(Enumerable.Repeat(a[2], size - row.Count)));
            }

            yield return new ListValue(row);
        }
    }

    private static IEnumerable<object?> Slices(RenderState state, Arguments a)
    {
        object?[] items = state.Counted(state.Iterate(a[0]));
        int count = a.Integer(1, 0);
        if (count <= 0)
        {
            throw new EvaluationError("slice() needs at least one slice");
        }

        (int size, int longer) = (items.Length / count, items.Length % count);
        int offset = 0;
        for (int i = 0; i < count; i++)
        {
            state.Charge(32);
            int length = size + (i < longer ? 1 : 0);
            IEnumerable<object?> slice = items.Skip(offset).Take(length);
            offset += length;
            yield return new ListValue((a[2] is not null && i >= longer ? slice.Append(a[2]) : slice).ToList());
        }
    }

    private static ListValue GroupBy(RenderState state, Arguments a)
    {
        Func<object?, object?> select = Selection.Attribute(a[1], a[2]);
        Func<object?, object?> fold = Ordering.Key(state, null, a.IsTrue(3));
        List<object?> groups = [];
        List<object?> members = [];
        object? current = null;
        foreach (object? item in Ordering.Sort(state, state.Iterate(a[0]), item => fold(select(item)), reverse: false))
        {
            object? key = fold(select(item));
            if (members.Count > 0 && !ValueEquality.AreEqual(key, current))
            {
                groups.Add(new GroupValue(select(members[0]), new ListValue(members)));
                members = [];
            }

            current = key;
            members.Add(item);
        }

        if (members.Count > 0)
        {
            groups.Add(new GroupValue(select(members[0]), new ListValue(members)));
        }

        return new ListValue(groups);
    }
}

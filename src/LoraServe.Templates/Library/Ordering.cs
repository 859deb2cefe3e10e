using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>Sorting by Python's order, stable in both directions.</summary>
internal static class Ordering
{
    public static IEnumerable<object?> Sort(RenderState state, IEnumerable<object?> items, Func<object?, object?> key, bool reverse)
    {
        Comparer<object?> order = Comparer<object?>.Create((left, right) =>
        {
            state.Charge(1);
            return ValueOrder.Compare(left, right, "<") is var result && result == int.MaxValue ? 0 : result;
        });
        return reverse ? items.OrderByDescending(key, order) : items.OrderBy(key, order);
    }

    /// <summary>What sorting and grouping compare: an item or its attribute, letters folded unless case matters.</summary>
    public static Func<object?, object?> Key(RenderState state, object? attribute, bool caseSensitive)
    {
        Func<object?, object?> select = attribute is null ? item => item : Selection.Attributes(attribute);
        return caseSensitive ? select : item => select(item) switch
        {
            string text => state.Text(Casing.Lower(text)),
            Markup markup => state.Text(Casing.Lower(markup.Text)),
            var other => other,
        };
    }
}

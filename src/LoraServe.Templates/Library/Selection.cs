using System.Globalization;
using LoraServe.Templates.Python;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>The <c>attribute</c> arguments of filters: a name, an index, or a dotted path of these.</summary>
internal static class Selection
{
    public static Func<object?, object?> Attribute(object? path, object? byDefault = null)
    {
        object[] keys = Keys(path);
        return item =>
        {
            foreach (object key in keys)
            {
                item = Access.Item(item, key);
                if (item is Undefined && byDefault is not null)
                {
                    item = byDefault;
                }
            }

            return item;
        };
    }

    /// <summary>Like <see cref="Attribute"/>; several paths with commas between give a list.</summary>
    public static Func<object?, object?> Attributes(object? paths)
    {
        if (Markup.TextOf(paths) is not { } text || !text.Contains(','))
        {
            return Attribute(paths);
        }

        Func<object?, object?>[] selectors = [.. text.Split(',').Select(path => Attribute(path))];
        return item => new ListValue(selectors.Select(select => select(item)).ToList());
    }

    private static object[] Keys(object? path) => Markup.TextOf(path) is { } text
        ? [.. text.Split('.').Select(object (part) =>
            long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long index) ? index : part)]
        : path is null ? [] : [path];
}

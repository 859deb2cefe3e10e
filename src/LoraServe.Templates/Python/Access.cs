using System.Numerics;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Python;

/// <summary>Attributes and items, behind the rules of the immutable sandbox.</summary>
internal static class Access
{
    /// <summary><c>target.name</c>.</summary>
    public static object? Attribute(object? target, string name)
    {
        if (target is Undefined undefined)
        {
            throw undefined.Error();
        }

        return TryAttribute(target, name, out object? value) || TryItem(target, name, out value)
            ? value
            : Missing(target, name);
    }

    /// <summary><c>target[key]</c>.</summary>
    public static object? Item(object? target, object? key)
    {
        if (target is Undefined undefined)
        {
            throw undefined.Error();
        }

        if (TryItem(target, key, out object? value)
            || (TextOf(key) is { } name && TryAttribute(target, name, out value)))
        {
            return value;
        }

        return Missing(target, key);
    }

    /// <summary>The attribute alone, as the attr filter takes it.</summary>
    public static object? AttributeOnly(object? target, string name)
    {
        if (target is Undefined undefined)
        {
            throw undefined.Error();
        }

        return TryAttribute(target, name, out object? value) ? value : Missing(target, name);
    }

    private static bool TryAttribute(object? target, string name, out object? value)
    {
        if (name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal))
        {
            value = Unsafe(target, name);
            return true;
        }

        if (target is IAttributes attributes && attributes.TryGetAttribute(name, out value))
        {
            return true;
        }

        if (Methods.IsMutating(target, name))
        {
            value = Unsafe(target, name);
            return true;
        }

        NativeFunction? method = Methods.Find(target, name);
        value = method is null ? null : new BoundMethod(target, method);
        return method is not null;
    }

    private static bool TryItem(object? target, object? key, out object? value)
    {
        value = null;
        if (target is DictValue dict)
        {
            return ValueEquality.IsHashable(key) && dict.TryGet(key, out value);
        }

        if (!Numbers.TryInteger(key, out BigInteger index))
        {
            return false;
        }

        switch (target)
        {
            case SequenceValue sequence:
                return InRange(index, sequence.Items.Count, out int i) && Found(sequence.Items[i], out value);
            case RangeValue range:
                return InRange(index, range.Count, out i) && Found(range[i], out value);
            case string text:
                return InRange(index, PythonText.Length(text), out i) && Found(PythonText.Character(text, i), out value);
            case Markup markup:
                return InRange(index, PythonText.Length(markup.Text), out i)
                    && Found(new Markup(PythonText.Character(markup.Text, i)), out value);
            default:
                return false;
        }
    }

    private static bool InRange(BigInteger index, int count, out int i)
    {
        BigInteger counted = index < 0 ? index + count : index;
        bool inside = counted >= 0 && counted < count;
        i = inside ? (int)counted : -1;
        return inside;
    }

    private static bool Found(object? item, out object? value)
    {
        value = item;
        return true;
    }

    private static string? TextOf(object? key) => key as string ?? (key as Markup)?.Text;

    private static Undefined Missing(object? target, object? key) => new(TextOf(key) is { } name
        ? $"'{TypeName.OfObject(target)}' has no attribute {PythonText.Repr(name)}"
        : $"{TypeName.OfObject(target)} has no element {Printer.ShortRepr(key)}");

    private static Undefined Unsafe(object? target, string name) =>
        new($"access to attribute '{name}' of '{TypeName.Of(target)}' object is unsafe.");
}

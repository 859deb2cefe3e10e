using System.Globalization;
using System.Text;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Python;

/// <summary>str.format: <c>{0}</c>, <c>{name.attribute[key]!r:specification}</c>.</summary>
internal sealed class BraceFormat(RenderState state, IReadOnlyList<object?> positional, IReadOnlyList<KeyValuePair<string, object?>> named)
{
    private const int MaxNesting = 2;

    private int _next;

    public string Format(string format) => Format(format, MaxNesting);

    private string Format(string format, int nesting)
    {
        StringBuilder result = new(format.Length);
        for (int i = 0; i < format.Length; i++)
        {
            char c = format[i];
            if (c is '{' or '}' && i + 1 < format.Length && format[i + 1] == c)
            {
                result.Append(c);
                i++;
            }
            else if (c == '}')
            {
                throw new EvaluationError("Single '}' encountered in format string");
            }
            else if (c == '{')
            {
                int end = FieldEnd(format, i);
                result.Append(Field(format[(i + 1)..end], nesting));
                state.CheckLength(result.Length);
                i = end;
            }
            else
            {
                result.Append(c);
            }
        }

        return result.ToString();
    }

    private static int FieldEnd(string format, int start)
    {
        int open = 0;
        for (int i = start; i < format.Length; i++)
        {
            open += format[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (open == 0)
            {
                return i;
            }
        }

        throw new EvaluationError("expected '}' before end of string");
    }

    private string Field(string field, int nesting)
    {
        if (nesting == 0)
        {
            throw new EvaluationError("Max string recursion exceeded");
        }

        int bracket = 0;
        int end = 0;
        while (end < field.Length && (bracket > 0 || field[end] is not (':' or '!')))
        {
            bracket += field[end] switch { '[' => 1, ']' => -1, _ => 0 };
            end++;
        }

        object? value = Resolve(field[..end]);
        if (end < field.Length && field[end] == '!')
        {
            char conversion = end + 1 < field.Length ? field[end + 1] : '\0';
            value = conversion switch
            {
                'r' or 'a' => value is Undefined ? "Undefined" : Printer.Repr(state, value),
                's' => state.ToText(value),
                _ => throw new EvaluationError($"Unknown conversion specifier '{conversion}'"),
            };
            end += 2;
            if (end < field.Length && field[end] != ':')
            {
                throw new EvaluationError("expected ':' after conversion specifier");
            }
        }

        string spec = end < field.Length ? Format(field[(end + 1)..], nesting - 1) : "";
        return spec.Length == 0 ? state.ToText(value) : FormatSpec.Parse(spec).Format(state, value);
    }

    private object? Resolve(string path)
    {
        int end = path.AsSpan().IndexOfAny('.', '[');
        string first = end < 0 ? path : path[..end];
        object? value = Argument(first);
        int i = first.Length;
        while (i < path.Length)
        {
            if (path[i] == '.')
            {
                int stop = path.AsSpan(i + 1).IndexOfAny('.', '[');
                string name = stop < 0 ? path[(i + 1)..] : path.Substring(i + 1, stop);
                value = Access.Attribute(value, name);
                i += name.Length + 1;
            }
            else
            {
                int close = path.IndexOf(']', i);
                if (path[i] != '[' || close < 0)
                {
                    throw new EvaluationError("Missing ']' in format string");
                }

                string key = path[(i + 1)..close];
                value = Access.Item(value, Index(key) is int index ? (long)index : key);
                i = close + 1;
            }
        }

        return value;
    }

    private object? Argument(string name)
    {
        if (name.Length > 0 && Index(name) is null)
        {
            foreach ((string key, object? value) in named)
            {
                if (key == name)
                {
                    return value;
                }
            }

            throw new EvaluationError($"format has no argument '{name}'");
        }

        int index = Index(name) ?? _next++;
        return index < positional.Count
            ? positional[index]
            : throw new EvaluationError($"Replacement index {index} out of range for positional args tuple");
    }

    private static int? Index(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index : null;
}

using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Runtime;

/// <summary>Python's repr.</summary>
internal static class Printer
{
    public static string Repr(RenderState state, object? value)
    {
        StringBuilder output = new();
        Append(state, output, value);
        return state.Text(output.ToString());
    }

    /// <summary>A repr for messages, of scalars only.</summary>
    public static string ShortRepr(object? value) => value switch
    {
        string text => PythonText.Repr(text),
        null => "None",
        bool flag => flag ? "True" : "False",
        long or BigInteger => string.Create(CultureInfo.InvariantCulture, $"{value}"),
        double number => FloatText.Repr(number),
        IObject named => named.Repr,
        _ => $"<{TypeName.Of(value)} object>",
    };

    private static void Append(RenderState state, StringBuilder output, object? value)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        state.CheckLength(output.Length);
        switch (value)
        {
            case ListValue list:
                AppendAll(state, output.Append('['), list.Items).Append(']');
                break;
            case TupleValue tuple:
                AppendAll(state, output.Append('('), tuple.Items).Append(tuple.Items.Count == 1 ? ",)" : ")");
                break;
            case DictValue dict:
                AppendDict(state, output, dict);
                break;
            case DictView view:
                AppendAll(state, output.Append(view.TypeName).Append("(["), view.Items.ToList()).Append("])");
                break;
            default:
                output.Append(ShortRepr(value));
                break;
        }
    }

    private static StringBuilder AppendAll(RenderState state, StringBuilder output, IReadOnlyList<object?> items)
    {
        for (int i = 0; i < items.Count; i++)
        {
            output.Append(i == 0 ? "" : ", ");
            Append(state, output, items[i]);
        }

        return output;
    }

    private static void AppendDict(RenderState state, StringBuilder output, DictValue dict)
    {
        string separator = "{";
        foreach ((object? key, object? item) in dict.Items)
        {
            output.Append(separator);
            Append(state, output, key);
            Append(state, output.Append(": "), item);
            separator = ", ";
        }

        output.Append(dict.Count == 0 ? "{}" : "}");
    }
}

using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>Python's json.dumps, as transformers' <c>tojson</c> calls it: no HTML escapes, text left as Unicode.</summary>
internal sealed class JsonText(RenderState state, bool ensureAscii, string? indent, string itemSeparator, string keySeparator, bool sortKeys)
{
    private readonly StringBuilder _output = new();

    public string Write(object? value)
    {
        Append(value, 0);
        return state.Text(_output.ToString());
    }

    private void Append(object? value, int level)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        state.CheckLength(_output.Length);
        switch (value)
        {
            case string or Markup:
                AppendString(Markup.TextOf(value)!);
                break;
            case SequenceValue sequence:
                AppendItems('[', ']', sequence.Items, level, item => Append(item, level + 1));
                break;
            case DictValue dict:
                IEnumerable<KeyValuePair<object?, object?>> items = dict.Items;
                if (sortKeys)
                {
                    items = items.OrderBy(item => item.Key, Comparer<object?>.Create((a, b) => ValueOrder.Compare(a, b, "<")));
                }

                AppendItems('{', '}', items.ToList(), level, item =>
                {
                    AppendString(KeyText(item.Key));
                    _output.Append(keySeparator);
                    Append(item.Value, level + 1);
                });
                break;
            default:
                _output.Append(Scalar(value)
                    ?? throw new EvaluationError($"Object of type {TypeName.Of(value)} is not JSON serializable"));
                break;
        }
    }

    private static string? Scalar(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        long or BigInteger => string.Create(CultureInfo.InvariantCulture, $"{value}"),
        double number when double.IsNaN(number) => "NaN",
        double number when double.IsInfinity(number) => number > 0 ? "Infinity" : "-Infinity",
        double number => FloatText.Repr(number),
        _ => null,
    };

    private static string KeyText(object? key) => Markup.TextOf(key) ?? Scalar(key)
        ?? throw new EvaluationError($"keys must be str, int, float, bool or None, not {TypeName.Of(key)}");

    private void AppendItems<T>(char open, char close, IReadOnlyList<T> items, int level, Action<T> append)
    {
        _output.Append(open);
        for (int i = 0; i < items.Count; i++)
        {
            _output.Append(i == 0 ? "" : itemSeparator);
            AppendLine(level + 1);
            append(items[i]);
        }

        if (items.Count > 0)
        {
            AppendLine(level);
        }

        _output.Append(close);
    }

    private void AppendLine(int level)
    {
        if (indent is null)
        {
            return;
        }

        state.CheckLength(_output.Length + ((long)indent.Length * level));
        _output.Append('\n');
        for (int i = 0; i < level; i++)
        {
            _output.Append(indent);
        }
    }

    private void AppendString(string text)
    {
        _output.Append('"');
        foreach (char c in text)
        {
            switch (c)
            {
                case '"': _output.Append("\\\""); break;
                case '\\': _output.Append("\\\\"); break;
                case '\n': _output.Append("\\n"); break;
                case '\r': _output.Append("\\r"); break;
                case '\t': _output.Append("\\t"); break;
                case '\b': _output.Append("\\b"); break;
                case '\f': _output.Append("\\f"); break;
                case var _ when c < ' ' || (ensureAscii && c > '~'):
                    _output.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                    break;
                default: _output.Append(c); break;
            }
        }

        _output.Append('"');
    }
}

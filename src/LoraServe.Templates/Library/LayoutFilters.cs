using System.Text;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>Filters that lay text out.</summary>
internal static class LayoutFilters
{
    public static void Register(Action<string, string, Func<RenderState, Arguments, object?>> add)
    {
        add("indent", "value width? first? blank?", Indent);
        add("center", "value width?", (state, a) =>
        {
            string text = state.ToText(a[0]);
            int width = a.Integer(1, 80);
            int missing = Math.Max(0, width - PythonText.Length(text));
            state.CheckLength(missing);
            int left = (missing / 2) + (missing & width & 1);
            return new string(' ', left) + text + new string(' ', missing - left);
        });
        add("truncate", "value length? killwords? end? leeway?", Truncate);
        add("wordwrap", "value width? break_long_words? wrapstring? break_on_hyphens?", WordWrap);
        add("wordcount", "value", (state, a) => (long)WordCount(state.ToText(a[0])));
    }

    private static string Indent(RenderState state, Arguments a)
    {
        string text = state.ToText(a[0]);
        int width = Math.Max(0, a[1] is string ? 0 : a.Integer(1, 4));
        bool blank = a.IsTrue(3);
        string[] lines = [.. PythonText.SplitLines(text + "\n")];
        state.CheckLength(text.Length + ((long)width * lines.Length));
        string indentation = a[1] as string ?? new string(' ', width);
        state.CheckLength(text.Length + ((long)indentation.Length * lines.Length));
        StringBuilder result = new(text.Length);
        for (int i = 0; i < lines.Length; i++)
        {
            bool indented = i == 0 ? a.IsTrue(2) : blank || lines[i].Length > 0;
            result.Append(i == 0 ? "" : "\n").Append(indented ? indentation : "").Append(lines[i]);
        }

        return state.Text(result.ToString());
    }

    private static string Truncate(RenderState state, Arguments a)
    {
        string text = state.ToText(a[0]);
        int length = a.Integer(1, 255);
        string end = a.OptionalText(3) ?? "...";
        int leeway = a.Integer(4, 5);
        int room = length - PythonText.Length(end);
        if (room < 0 || leeway < 0)
        {
            throw new EvaluationError($"truncate(): expected length >= {PythonText.Length(end)} and leeway >= 0, got {length} and {leeway}");
        }

        if (PythonText.Length(text) <= (long)length + leeway)
        {
            return text;
        }

        string kept = text[..PythonText.Utf16Index(text, room)];
        if (a.IsTrue(2))
        {
            return kept + end;
        }

        int space = kept.LastIndexOf(' ');
        return (space < 0 ? kept : kept[..space]) + end;
    }

    private static string WordWrap(RenderState state, Arguments a)
    {
        int width = a.Integer(1, 79);
        if (width <= 0)
        {
            throw new EvaluationError($"invalid width {width} (must be > 0)");
        }

        string separator = a.OptionalText(3) ?? "\n";
        List<string> lines = [];
        foreach (string line in PythonText.SplitLines(state.ToText(a[0])))
        {
            lines.Add(string.Join(separator, new TextWrapper(width, a.IsTrue(2, byDefault: true), a.IsTrue(4, byDefault: true)).Wrap(line)));
        }

        string text = string.Join(separator, lines);
        state.CheckLength(text.Length);
        return state.Text(text);
    }

    private static int WordCount(string text)
    {
        int count = 0;
        bool inside = false;
        foreach (char c in text)
        {
            bool isWord = c == '_' || char.IsLetterOrDigit(c);
            count += isWord && !inside ? 1 : 0;
            inside = isWord;
        }

        return count;
    }
}

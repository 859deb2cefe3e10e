using System.Text;
using LoraServe.Templates.Python;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>Filters from text to text.</summary>
internal static class TextFilters
{
    public static void Register(Action<string, string, Func<RenderState, Arguments, object?>> add)
    {
        add("default", "value default_value? boolean?", (_, a) =>
            a[0] is Undefined || (a.IsTrue(2) && !Truth.Of(a[0])) ? (a.Has(1) ? a[1] : "") : a[0]);
        add("string", "value", (state, a) => a[0] is Markup ? a[0] : state.ToText(a[0]));
        add("upper", "value", (state, a) => Casing.Upper(state.ToText(a[0])));
        add("lower", "value", (state, a) => Casing.Lower(state.ToText(a[0])));
        add("capitalize", "value", (state, a) => Casing.Capitalize(state.ToText(a[0])));
        add("title", "value", (state, a) => Title(state.ToText(a[0])));
        add("trim", "value chars?", (state, a) => PythonText.Trim(state.ToText(a[0]), a.OptionalText(1)));
        add("replace", "value old new count?", (state, a) => state.Text(StringMethods.Replace(
            state, state.ToText(a[0]), state.ToText(a[1]), state.ToText(a[2]), a.Integer(3, -1))));
        add("format", "value *args **kwargs", Format);
        add("escape", "value", (state, a) => a[0] is Markup ? a[0] : new Markup(Html.Escape(state.ToText(a[0]))));
        add("forceescape", "value", (state, a) => new Markup(Html.Escape(state.ToText(a[0]))));
        add("safe", "value", (state, a) => new Markup(state.ToText(a[0])));
        add("striptags", "value", (state, a) => Html.StripTags(state.ToText(a[0])));
        add("urlencode", "value", UrlEncode);
        add("xmlattr", "value autospace?", XmlAttributes);
        add("tojson", "value ensure_ascii? indent? separators? sort_keys?", ToJson);
        add("pprint", "value", (state, a) => a[0] is Undefined ? "Undefined" : Printer.Repr(state, a[0]));
    }

    /// <summary>Jinja's title: the first character after white space, a dash or an opening bracket.</summary>
    private static string Title(string text)
    {
        StringBuilder result = new(text.Length);
        bool startsWord = true;
        foreach (string character in PythonText.Characters(text))
        {
            result.Append(startsWord ? Casing.Upper(character) : Casing.Lower(character));
            startsWord = character is "-" or "(" or "{" or "[" or "<" || PythonText.IsSpace(character[0]);
        }

        return result.ToString();
    }

    private static string Format(RenderState state, Arguments a)
    {
        if (a.Rest.Count > 0 && a.Named.Count > 0)
        {
            throw new EvaluationError("can't handle positional and keyword arguments at the same time");
        }

        object? values = new TupleValue(a.Rest);
        if (a.Named.Count > 0)
        {
            DictValue named = new();
            a.Named.ForEach(item => named.Set(item.Key, item.Value));
            values = named;
        }

        return state.Text(PercentFormat.Format(state, state.ToText(a[0]), values));
    }

    private static string UrlEncode(RenderState state, Arguments a)
    {
        if (a[0] is not (DictValue or SequenceValue or Generator or DictView))
        {
            return Quote(state.ToText(a[0]), "/");
        }

        IEnumerable<object?> pairs = a[0] is DictValue dict ? Methods.Pairs(dict) : state.Iterate(a[0]);
        return string.Join('&', pairs.Select(pair => string.Join('=', state.Iterate(pair)
            .Select(part => Quote(state.ToText(part), "").Replace("%20", "+", StringComparison.Ordinal)))));
    }

    private static string Quote(string text, string unreserved)
    {
        StringBuilder result = new(text.Length);
        foreach (byte b in Encoding.UTF8.GetBytes(text))
        {
            char c = (char)b;
            if (char.IsAsciiLetterOrDigit(c) || "_.-~".Contains(c) || unreserved.Contains(c))
            {
                result.Append(c);
            }
            else
            {
                result.Append('%').Append(Convert.ToHexString([b]));
            }
        }

        return result.ToString();
    }

    private static Markup XmlAttributes(RenderState state, Arguments a)
    {
        StringBuilder result = new();
        foreach ((object? key, object? value) in (a[0] as DictValue ?? throw new EvaluationError("xmlattr needs a mapping")).Items)
        {
            if (value is null or Undefined)
            {
                continue;
            }

            string name = state.ToText(key);
            if (name.AsSpan().IndexOfAny("/>=") >= 0 || name.Any(PythonText.IsSpace))
            {
                throw new EvaluationError($"Invalid character in attribute name: {PythonText.Repr(name)}");
            }

            string text = value is Markup markup ? markup.Text : Html.Escape(state.ToText(value));
            result.Append(result.Length == 0 && !a.IsTrue(1, byDefault: true) ? "" : " ")
                .Append(Html.Escape(name)).Append("=\"").Append(text).Append('"');
        }

        return new Markup(result.ToString());
    }

    private static string ToJson(RenderState state, Arguments a)
    {
        string? indent = a[2] switch
        {
            null => null,
            string text => text,
            _ => new string(' ', Math.Clamp(a.Integer(2, 0), 0, 1000)),
        };
        (string item, string key) = (indent is null ? ", " : ",", ": ");
        if (a[3] is not null)
        {
            (item, key) = a[3] is SequenceValue { Items: [string first, string second] }
                ? (first, second)
                : throw new EvaluationError("tojson(): separators must be a pair of strings");
        }

        return new JsonText(state, a.IsTrue(1), indent, item, key, a.IsTrue(4)).Write(a[0]);
    }
}

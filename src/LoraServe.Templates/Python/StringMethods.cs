using System.Globalization;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Python;

/// <summary>The methods of Python's str.</summary>
internal static class StringMethods
{
    public static Dictionary<string, NativeFunction> All { get; } = Build();

    private static Dictionary<string, NativeFunction> Build()
    {
        Dictionary<string, NativeFunction> methods = [];
        AddCases(Add);
        AddSplits(Add);
        AddSearches(Add);
        AddPadding(Add);
        AddQuestions(Add);
        return methods;

        void Add(string name, string signature, Func<RenderState, Arguments, object?> body) => methods.Add(
            name, new NativeFunction(name, signature, (state, a) =>
            {
                state.Charge(a.Text(0).Length / 8);
                object? result = body(state, a);
                return result is string text ? state.Text(text) : result;
            }));
    }

    private static void AddCases(Action<string, string, Func<RenderState, Arguments, object?>> add)
    {
        add("upper", "self", (_, a) => Casing.Upper(a.Text(0)));
        add("lower", "self", (_, a) => Casing.Lower(a.Text(0)));
        add("casefold", "self", (_, a) => Casing.Lower(a.Text(0)).Replace("ß", "ss", StringComparison.Ordinal));
        add("title", "self", (_, a) => Casing.Title(a.Text(0)));
        add("capitalize", "self", (_, a) => Casing.Capitalize(a.Text(0)));
        add("swapcase", "self", (_, a) => Casing.Swap(a.Text(0)));
        add("format", "self *args **kwargs", (state, a) => new BraceFormat(state, a.Rest, a.Named).Format(a.Text(0)));
        add("format_map", "self mapping", (state, a) => new BraceFormat(state, [], (a[1] as DictValue
            ?? throw new EvaluationError("format_map() argument must be a mapping")).Items
            .Where(item => item.Key is string).Select(item => KeyValuePair.Create((string)item.Key!, item.Value)).ToList()).Format(a.Text(0)));
        add("encode", "self encoding?", (_, _) => throw new EvaluationError("encode(): bytes are not supported in chat templates"));
    }

    private static void AddSplits(Action<string, string, Func<RenderState, Arguments, object?>> add)
    {
        add("strip", "self chars?", (_, a) => PythonText.Trim(a.Text(0), a.OptionalText(1)));
        add("lstrip", "self chars?", (_, a) => PythonText.TrimStart(a.Text(0), a.OptionalText(1)));
        add("rstrip", "self chars?", (_, a) => PythonText.TrimEnd(a.Text(0), a.OptionalText(1)));
        add("split", "self sep? maxsplit?", (state, a) =>
            Strings(state, TextSplitting.Split(a.Text(0), a.OptionalText(1), a.Integer(2, -1))));
        add("rsplit", "self sep? maxsplit?", (state, a) =>
            Strings(state, TextSplitting.SplitFromRight(a.Text(0), a.OptionalText(1), a.Integer(2, -1))));
        add("splitlines", "self keepends?", (state, a) => Strings(state, PythonText.SplitLines(a.Text(0), a.IsTrue(1))));
        add("partition", "self sep", (_, a) => TextSplitting.Partition(a.Text(0), a.Text(1), fromRight: false));
        add("rpartition", "self sep", (_, a) => TextSplitting.Partition(a.Text(0), a.Text(1), fromRight: true));
        add("removeprefix", "self prefix", (_, a) =>
            a.Text(0).StartsWith(a.Text(1), StringComparison.Ordinal) ? a.Text(0)[a.Text(1).Length..] : a.Text(0));
        add("removesuffix", "self suffix", (_, a) =>
            a.Text(0).EndsWith(a.Text(1), StringComparison.Ordinal) ? a.Text(0)[..^a.Text(1).Length] : a.Text(0));
        add("join", "self iterable", (state, a) => Join(state, a.Text(0), a[1]));
        add("replace", "self old new count?", (state, a) => Replace(state, a.Text(0), a.Text(1), a.Text(2), a.Integer(3, -1)));
    }

    private static void AddSearches(Action<string, string, Func<RenderState, Arguments, object?>> add)
    {
        add("startswith", "self prefix start? end?", (state, a) => AnyAffix(state, a, (text, affix) => text.StartsWith(affix, StringComparison.Ordinal)));
        add("endswith", "self suffix start? end?", (state, a) => AnyAffix(state, a, (text, affix) => text.EndsWith(affix, StringComparison.Ordinal)));
        add("find", "self sub start? end?", (state, a) => Find(state, a, last: false));
        add("rfind", "self sub start? end?", (state, a) => Find(state, a, last: true));
        add("index", "self sub start? end?", (state, a) => Found(Find(state, a, last: false)));
        add("rindex", "self sub start? end?", (state, a) => Found(Find(state, a, last: true)));
        add("count", "self sub start? end?", (state, a) =>
        {
            string text = Part(state, a);
            string sub = a.Text(1);
            return sub.Length == 0 ? PythonText.Length(text) + 1L : (long)TextSplitting.Split(text, sub, -1).Count() - 1;
        });
    }

    private static void AddPadding(Action<string, string, Func<RenderState, Arguments, object?>> add)
    {
        add("zfill", "self width", (state, a) =>
        {
            int sign = a.Text(0) is ['+' or '-', ..] ? 1 : 0;
            return a.Text(0)[..sign] + Padding(state, a, "0") + a.Text(0)[sign..];
        });
        add("ljust", "self width fillchar?", (state, a) => a.Text(0) + Padding(state, a, a.OptionalText(2)));
        add("rjust", "self width fillchar?", (state, a) => Padding(state, a, a.OptionalText(2)) + a.Text(0));
        add("center", "self width fillchar?", (state, a) =>
        {
            string padding = Padding(state, a, a.OptionalText(2));
            int left = (padding.Length / 2) + (padding.Length & a.Integer(1, 0) & 1);
            return padding[..left] + a.Text(0) + padding[left..];
        });
        add("expandtabs", "self tabsize?", (state, a) =>
        {
            int size = Math.Max(0, a.Integer(1, 8));
            state.CheckLength((long)size * a.Text(0).Count(c => c == '\t'));
            return TextSplitting.ExpandTabs(a.Text(0), size);
        });
    }

    private static void AddQuestions(Action<string, string, Func<RenderState, Arguments, object?>> add)
    {
        Is("isdigit", c => PythonText.CategoryOf(c) == UnicodeCategory.DecimalDigitNumber || CharUnicodeInfo.GetDigitValue(c, 0) >= 0);
        Is("isdecimal", c => PythonText.CategoryOf(c) == UnicodeCategory.DecimalDigitNumber);
        Is("isnumeric", c => CharUnicodeInfo.GetNumericValue(c, 0) >= 0);
        Is("isalpha", c => char.IsLetter(c, 0));
        Is("isalnum", c => char.IsLetter(c, 0) || CharUnicodeInfo.GetNumericValue(c, 0) >= 0);
        Is("isspace", c => PythonText.IsSpace(c[0]));
        add("isascii", "self", (_, a) => a.Text(0).All(char.IsAscii));
        add("isprintable", "self", (_, a) => PythonText.Characters(a.Text(0)).All(PythonText.IsPrintable));
        add("isupper", "self", (_, a) => Casing.IsCase(a.Text(0), Casing.IsUpper, Casing.IsLower));
        add("islower", "self", (_, a) => Casing.IsCase(a.Text(0), Casing.IsLower, Casing.IsUpper));
        add("istitle", "self", (_, a) => a.Text(0).Length > 0 && PythonText.Characters(a.Text(0)).Any(Casing.IsCased)
            && Casing.Title(a.Text(0)) == a.Text(0));
        add("isidentifier", "self", (_, a) => a.Text(0) is [var first, ..] && (first == '_' || char.IsLetter(first))
            && a.Text(0).All(c => c == '_' || char.IsLetterOrDigit(c)));

        void Is(string name, Func<string, bool> test) =>
            add(name, "self", (_, a) => a.Text(0).Length > 0 && PythonText.Characters(a.Text(0)).All(test));
    }

    public static ListValue Strings(RenderState state, IEnumerable<string> parts) => new(state.Counted(parts));

    public static string Join(RenderState state, string separator, object? items)
    {
        long length = 0;
        List<string> parts = [];
        foreach (object? item in state.Iterate(items))
        {
            string part = Markup.TextOf(item)
                ?? throw new EvaluationError($"sequence item {parts.Count}: expected str instance, {TypeName.Of(item)} found");
            length += part.Length + separator.Length;
            state.CheckLength(length);
            parts.Add(part);
        }

        return string.Join(separator, parts);
    }

    public static string Replace(RenderState state, string text, string old, string replacement, int count)
    {
        if (count == 0)
        {
            return text;
        }

        int limit = count < 0 ? int.MaxValue : count;
        List<string> parts = old.Length > 0
            ? TextSplitting.Split(text, old, limit == int.MaxValue ? -1 : limit).ToList()
            : TextSplitting.BetweenCharacters(text, limit);
        state.CheckLength(text.Length + ((long)parts.Count * replacement.Length));
        return string.Join(replacement, parts);
    }

    private static string Padding(RenderState state, Arguments a, string? fill)
    {
        fill ??= " ";
        if (PythonText.Length(fill) != 1)
        {
            throw new EvaluationError("The fill character must be exactly one character long");
        }

        int missing = Math.Max(0, a.Integer(1, 0) - PythonText.Length(a.Text(0)));
        state.CheckLength((long)missing * fill.Length);
        return string.Concat(Enumerable.Repeat(fill, missing));
    }

    private static bool AnyAffix(RenderState state, Arguments a, Func<string, string, bool> matches)
    {
        string text = Part(state, a);
        return a[1] is TupleValue affixes
            ? affixes.Items.Any(affix => Markup.TextOf(affix) is { } s && matches(text, s))
            : matches(text, a.Text(1));
    }

    private static string Part(RenderState state, Arguments a) => a.Has(2)
        ? (string)Slicing.Slice(state, a.Text(0), a[2], a[3], null)!
        : a.Text(0);

    private static long Find(RenderState state, Arguments a, bool last)
    {
        string text = a.Text(0);
        string part = Part(state, a);
        int index = last
            ? part.LastIndexOf(a.Text(1), StringComparison.Ordinal)
            : part.IndexOf(a.Text(1), StringComparison.Ordinal);
        if (index < 0)
        {
            return -1;
        }

        int start = a.Integer(2, 0);
        int skipped = start < 0 ? Math.Max(0, start + PythonText.Length(text)) : start;
        return skipped + PythonText.CodePointIndex(part, index);
    }

    private static long Found(long index) => index >= 0 ? index : throw new EvaluationError("substring not found");
}

using System.Numerics;
using System.Text.Json;
using LoraServe.Grammars.Patterns;
using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Schemas;

/// <summary>Values that hold no others, and values that are listed.</summary>
internal sealed partial class SchemaReader
{
    /// <summary>Keywords of numbers that a format of them stands for, and formats that bound nothing a JSON number does not bound.</summary>
    private static readonly Dictionary<string, (BigInteger Least, BigInteger Most)?> s_numberFormats = new()
    {
        ["int8"] = (sbyte.MinValue, sbyte.MaxValue),
        ["uint8"] = (byte.MinValue, byte.MaxValue),
        ["int16"] = (short.MinValue, short.MaxValue),
        ["uint16"] = (ushort.MinValue, ushort.MaxValue),
        ["int32"] = (int.MinValue, int.MaxValue),
        ["uint32"] = (uint.MinValue, uint.MaxValue),
        ["int64"] = (long.MinValue, long.MaxValue),
        ["uint64"] = (ulong.MinValue, ulong.MaxValue),
        ["float"] = null,
        ["double"] = null,
    };

    /// <summary>The values that every list of them has.</summary>
    private Expression ReadValues(List<SchemaPart> parts)
    {
        List<JsonElement>? values = null;
        foreach (SchemaPart part in parts)
        {
            foreach (string keyword in (ReadOnlySpan<string>)["const", "enum"])
            {
                if (part[keyword] is not { } list)
                {
                    continue;
                }

                JsonElement[] listed = keyword == "const" ? [list]
                    : list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()]
                    : throw Refused([part], keyword, $"found {Kind(list)}; expected an array of values");
                values = values is null ? [.. listed] : values.FindAll(value => listed.Any(other => JsonElement.DeepEquals(value, other)));
            }

            string? other = part.Value.EnumerateObject().Select(property => property.Name).FirstOrDefault(name => SchemaKeywords.TypeOf(name) is not null);
            if (other is not null)
            {
                throw Refused([part], other, "it is not supported beside enum or const; leave values out of the list instead");
            }

            HashSet<string> types = [.. TypesOf(part)];
            values = values?.FindAll(value => types.Contains(TypeOf(value)));
        }

        HashSet<string> allowed = [.. s_allTypes.Where(type => parts.TrueForAll(part => TypesOf(part).Contains(type)))];
        values = values!.FindAll(value => allowed.Contains(TypeOf(value)));
        return values.Count > 0 ? Expression.Either([.. values.Select(value => Expression.Of(Spell(value))).Distinct()])
            : throw Refused(parts, parts.Exists(part => part["enum"] is not null) ? "enum" : "const", "none of the values is of the type that is asked for");
    }

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => NumberBound.TryParse(value.GetRawText(), true) is { } number && number.FirstInteger() == number.LastInteger() ? "integer" : "number",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        _ => "null",
    };

    /// <summary>A value in the most compact form.</summary>
    private string Spell(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => $"{{{string.Join(',', value.EnumerateObject().Select(property => $"{_json.Spelling.Quote(property.Name)}:{Spell(property.Value)}"))}}}",
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(Spell))}]",
        JsonValueKind.String => _json.Spelling.Quote(value.GetString()!),
        _ => value.GetRawText(),
    };

    private Expression ReadString(List<SchemaPart> parts)
    {
        int least = Count(parts, "minLength", Math.Max) ?? 0;
        int? most = Count(parts, "maxLength", Math.Min);
        List<Expression> forms = [];
        foreach (SchemaPart part in parts)
        {
            if (part["pattern"] is { } pattern)
            {
                string text = pattern.ValueKind == JsonValueKind.String ? pattern.GetString()! : throw Refused([part], "pattern", $"found {Kind(pattern)}; expected a regular expression");
                forms.Add(PatternReader.Read(text, $"{What}, {part.Pointer}/pattern", _json.Spelling.One, isSearch: true));
            }

            if (part["format"] is { } format && !(format.ValueKind == JsonValueKind.String && s_numberFormats.ContainsKey(format.GetString()!)))
            {
                string name = format.ValueKind == JsonValueKind.String ? format.GetString()! : format.GetRawText();
                forms.Add(StringFormats.TryRead(name, _json.Spelling) ?? throw Refused([part], "format", $"'{name}' is not supported; known are {StringFormats.Names}, and of numbers {string.Join(", ", s_numberFormats.Keys)}"));
            }
        }

        if (least > (most ?? int.MaxValue))
        {
            throw Refused(parts, "minLength", $"{least} is more than maxLength, which is {most}");
        }

        if (forms.Count > 1 || (forms.Count == 1 && (least > 0 || most is not null)))
        {
            throw Refused(parts, parts.Exists(part => part["pattern"] is not null) ? "pattern" : "format", "it is not supported beside another pattern, a format, minLength or maxLength; write one pattern that says all");
        }

        return forms.Count == 1 ? Quoted(forms[0])
            : least == 0 && most is null ? _json.AnyString
            : Quoted(new Expression.Repeat(_json.Spelling.AnyCharacter, least, most));
    }

    private static Expression Quoted(Expression content) => Expression.Then(Expression.Of("\""), content, Expression.Of("\""));

    private Expression ReadNumber(List<SchemaPart> parts, bool isInteger)
    {
        NumberBound? least = null;
        NumberBound? most = null;
        foreach (SchemaPart part in parts)
        {
            foreach (NumberBound bound in Bounds(part, "minimum", "exclusiveMinimum"))
            {
                least = least is null || bound.CompareTo(least.Value) is > 0 or 0 && !bound.IsIncluded ? bound : least;
            }

            foreach (NumberBound bound in Bounds(part, "maximum", "exclusiveMaximum"))
            {
                most = most is null || bound.CompareTo(most.Value) is < 0 or 0 && !bound.IsIncluded ? bound : most;
            }

            if (part["format"] is { ValueKind: JsonValueKind.String } format && s_numberFormats.GetValueOrDefault(format.GetString()!) is { } range)
            {
                isInteger = true;
                NumberBound low = new(range.Least, 0, true);
                NumberBound high = new(range.Most, 0, true);
                least = least is null || low.CompareTo(least.Value) > 0 ? low : least;
                most = most is null || high.CompareTo(most.Value) < 0 ? high : most;
            }
        }

        if (least is null && most is null)
        {
            return isInteger ? _json.AnyInteger : _json.AnyNumber;
        }

        return isInteger ? NumberRange.Integers(least?.FirstInteger(), most?.LastInteger()) : NumberRange.Numbers(least, most);
    }

    /// <summary>A bound by its two keywords; in the oldest form of schemas the second is a boolean that speaks of the first.</summary>
    private static IEnumerable<NumberBound> Bounds(SchemaPart part, string keyword, string exclusive)
    {
        bool excludes = part[exclusive] is { ValueKind: JsonValueKind.True };
        foreach ((string name, bool isIncluded) in new[] { (keyword, !excludes), (exclusive, false) })
        {
            if (part[name] is not { } value || (name == exclusive && value.ValueKind is JsonValueKind.True or JsonValueKind.False))
            {
                continue;
            }

            yield return (value.ValueKind == JsonValueKind.Number ? NumberBound.TryParse(value.GetRawText(), isIncluded) : null)
                ?? throw Refused([part], name, $"found {Kind(value)}; expected a number of at most some tens of digits");
        }
    }

    /// <summary>A count that one or more schemas name.</summary>
    private static int? Count(List<SchemaPart> parts, string keyword, Func<int, int, int> join)
    {
        int? count = null;
        foreach (SchemaPart part in parts)
        {
            if (part[keyword] is { } value)
            {
                int number = value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int read) && read is >= 0 and <= MostCount
                    ? read
                    : throw Refused([part], keyword, $"found {Kind(value)}; expected a whole number up to {MostCount}");
                count = count is { } other ? join(other, number) : number;
            }
        }

        return count;
    }
}

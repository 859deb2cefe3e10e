using System.Text;
using System.Text.Json;
using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Schemas;

/// <summary>Turns a JSON schema into rules for the JSON texts that satisfy it.</summary>
/// <remarks>
/// A value has a list of schemas to satisfy, of which <c>allOf</c> and <c>$ref</c> make more: nothing is merged, each keyword asks all of them. A list that was seen before
/// is a rule already, so that recursive schemas come to an end. What is written is as compact as JSON can be, but for one space where one may be. Where a schema leaves
/// open what else there may be, nothing else is written: an object that names properties has no others unless <c>additionalProperties</c> says so.
/// </remarks>
internal sealed partial class SchemaReader
{
    private const string What = "JSON schema";

    /// <summary>How deep values may be within each other; what reads JSON usually gives up at 64.</summary>
    private const int MostNesting = 60;

    /// <summary>How deep schemas may be within each other.</summary>
    public const int MostDepth = 100;

    /// <summary>Schemas that may be read, those in several places as often as they are there.</summary>
    private const int MostSchemas = 20_000;

    private const int MostCount = 100_000;

    private static readonly string[] s_allTypes = ["object", "array", "string", "number", "integer", "boolean", "null"];
    private static readonly JsonDocumentOptions s_json = new() { MaxDepth = MostDepth, AllowDuplicateProperties = false };

    private readonly JsonElement _root;
    private readonly RuleSet _rules;
    private readonly JsonRules _json;
    private readonly Dictionary<string, Expression> _known = [];
    private int _depth;

    private SchemaReader(JsonElement root, RuleSet rules, JsonRules json) => (_root, _rules, _json) = (root, rules, json);

    /// <summary>The rules of a schema.</summary>
    public static RuleSet Read(string schema)
    {
        RuleSet rules = new(What, MostNesting);
        int whole = rules.Reserve("the schema");
        rules.Define(whole, Read(Encoding.UTF8.GetBytes(schema), rules, new JsonRules(rules, JsonSpelling.Usual)));
        return rules;
    }

    /// <summary>A schema as a part of other rules.</summary>
    /// <param name="schema">The schema, in UTF-8.</param>
    /// <param name="rules">The other rules, which get those of the schema.</param>
    /// <param name="json">The rules of JSON itself among them.</param>
    public static Expression Read(ReadOnlyMemory<byte> schema, RuleSet rules, JsonRules json)
    {
        rules.LimitDepth(MostNesting);
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(schema, s_json);
        }
        catch (JsonException error)
        {
            throw new GrammarException($"{What}: it is not JSON: {error.Message}", error);
        }

        using (document)
        {
            try
            {
                return new SchemaReader(document.RootElement, rules, json).Read([new SchemaPart(document.RootElement, "")]);
            }
            catch (InvalidOperationException error)
            {
                // So JSON's reader says, when the text is asked for, that one is none.
                throw new GrammarException($"{What}: a text in it has half of a surrogate pair.", error);
            }
        }
    }

    /// <summary>The rules of any JSON object.</summary>
    public static RuleSet AnyObject()
    {
        RuleSet rules = new(What, MostNesting);
        int whole = rules.Reserve("the object");
        rules.Define(whole, new JsonRules(rules, JsonSpelling.Usual).AnyObject);
        return rules;
    }

    /// <summary>What satisfies all of some schemas.</summary>
    private Expression Read(IEnumerable<SchemaPart> schemas)
    {
        if (++_depth > MostDepth)
        {
            throw new GrammarException($"{What}: schemas are more than {MostDepth} deep within each other.");
        }

        List<SchemaPart> parts = Flatten(schemas);

        // What nothing is asked of has no place, and the root's place has no name either.
        string key = parts.Count == 0 ? "anything" : string.Join(' ', parts.Select(part => part.Key));
        if (!_known.TryGetValue(key, out Expression? known))
        {
            int rule = _rules.Reserve($"the schema at {Places(parts)}");
            _known.Add(key, known = new Expression.Reference(rule));
            _rules.Define(rule, ReadAnew(parts));
        }

        _depth--;
        return known;
    }

    private Expression ReadAnew(List<SchemaPart> parts)
    {
        if (parts.Exists(part => part.Value.ValueKind == JsonValueKind.False))
        {
            return Expression.None;
        }

        if (TryChoose(parts) is { } branches)
        {
            return Expression.Either(branches);
        }

        if (parts.Exists(part => part["const"] is not null || part["enum"] is not null))
        {
            return ReadValues(parts);
        }

        string[] types = [.. s_allTypes.Where(type => parts.TrueForAll(part => TypesOf(part).Contains(type)))];

        // Every integer is a number.
        types = types.Contains("number") ? [.. types.Where(type => type != "integer")] : types;
        if (types.Length == 0)
        {
            throw Refused(parts, "type", "no type is allowed by all that is asked for here");
        }

        return Expression.Either([.. types.Select(type => ReadType(type, parts))]);
    }

    private Expression ReadType(string type, List<SchemaPart> parts) => type switch
    {
        "object" => ReadObject(parts),
        "array" => ReadArray(parts),
        "string" => ReadString(parts),
        "number" or "integer" => ReadNumber(parts, isInteger: type == "integer"),
        "boolean" => Expression.Either(Expression.Of("true"), Expression.Of("false")),
        _ => Expression.Of("null"),
    };

    /// <summary>Takes <c>$ref</c> and <c>allOf</c> apart, and checks every schema that comes of them.</summary>
    private List<SchemaPart> Flatten(IEnumerable<SchemaPart> schemas)
    {
        List<SchemaPart> parts = [];
        HashSet<string> seen = [];
        Stack<SchemaPart> open = new(schemas.Reverse());
        while (open.TryPop(out SchemaPart? part))
        {
            if (!seen.Add(part.Key))
            {
                continue;
            }

            Check(part);
            if (part.Value.ValueKind == JsonValueKind.True)
            {
                continue;
            }

            parts.Add(part);
            foreach (SchemaPart all in Branches(part, "allOf").Reverse())
            {
                open.Push(all);
            }

            if (part["$ref"] is { } reference)
            {
                open.Push(Resolve(part, reference));
            }
        }

        return parts;
    }

    private void Check(SchemaPart part)
    {
        if (++_rules.Schemas > MostSchemas)
        {
            throw new GrammarException($"{What}: more than {MostSchemas} schemas are to be read, those that are referred to as often as they are. Make it smaller.");
        }

        if (part.Value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return;
        }

        if (part.Value.ValueKind != JsonValueKind.Object)
        {
            throw new GrammarException($"{What}, {Place(part.Pointer)}: found {Kind(part.Value)}; expected a schema, which is an object, true or false.");
        }

        foreach (JsonProperty property in part.Value.EnumerateObject())
        {
            if (!SchemaKeywords.IsKnown(property.Name))
            {
                throw Refused([part], property.Name, "this keyword is not supported");
            }
        }
    }

    /// <summary>One list of schemas for each branch of the first <c>anyOf</c> or <c>oneOf</c>; null where there is none.</summary>
    private List<Expression>? TryChoose(List<SchemaPart> parts)
    {
        for (int i = 0; i < parts.Count; i++)
        {
            SchemaPart part = parts[i];
            bool isAny = !part.HasChosenAny && part["anyOf"] is not null;
            if (isAny || (!part.HasChosenOne && part["oneOf"] is not null))
            {
                SchemaPart rest = isAny ? part with { HasChosenAny = true } : part with { HasChosenOne = true };
                List<Expression> branches = [];
                foreach (SchemaPart branch in Branches(part, isAny ? "anyOf" : "oneOf"))
                {
                    branches.Add(Read([.. parts[..i], rest, branch, .. parts[(i + 1)..]]));
                }

                return branches;
            }
        }

        return null;
    }

    private static IEnumerable<SchemaPart> Branches(SchemaPart part, string keyword)
    {
        if (part[keyword] is not { } list)
        {
            return [];
        }

        // The same once more allows nothing more, and would be followed beside the other.
        return list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0
            ? list.EnumerateArray().Select((branch, i) => part.Below(branch, keyword, $"{i}")).DistinctBy(branch => branch.Value.GetRawText())
            : throw Refused([part], keyword, $"found {Kind(list)}; expected an array of schemas");
    }

    private SchemaPart Resolve(SchemaPart part, JsonElement reference)
    {
        string? pointer = reference.ValueKind == JsonValueKind.String ? reference.GetString() : null;
        if (pointer is null || !pointer.StartsWith('#') || (pointer.Length > 1 && pointer[1] != '/'))
        {
            throw Refused([part], "$ref", $"found {reference.GetRawText()}; expected a pointer within this schema, such as \"#/$defs/item\"");
        }

        JsonElement at = _root;
        foreach (string step in pointer.Split('/').Skip(1))
        {
            string name = Uri.UnescapeDataString(step).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            bool isFound = at.ValueKind == JsonValueKind.Object ? at.TryGetProperty(name, out at)
                : at.ValueKind == JsonValueKind.Array && int.TryParse(name, out int index) && index >= 0 && index < at.GetArrayLength() && (at = at[index]).ValueKind != JsonValueKind.Undefined;
            if (!isFound)
            {
                throw Refused([part], "$ref", $"{pointer} leads to nothing");
            }
        }

        return new SchemaPart(at, pointer[1..]);
    }

    /// <summary>The types that a schema allows: those that it names, else those that its keywords are about, else all.</summary>
    private static string[] TypesOf(SchemaPart part)
    {
        bool isNullable = part["nullable"] is { ValueKind: JsonValueKind.True };
        if (part["type"] is { } type)
        {
            string[] names = type.ValueKind switch
            {
                JsonValueKind.String => [type.GetString()!],
                JsonValueKind.Array when type.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String) => [.. type.EnumerateArray().Select(name => name.GetString()!)],
                _ => [type.GetRawText()],
            };
            if (names.Length == 0 || names.Except(s_allTypes).Any())
            {
                throw Refused([part], "type", $"found {type.GetRawText()}; expected one or more of {string.Join(", ", s_allTypes)}");
            }

            return names.Contains("number") ? [.. names, "integer", .. isNullable ? ["null"] : Array.Empty<string>()] : isNullable ? [.. names, "null"] : names;
        }

        string[] about = [.. part.Value.EnumerateObject().Select(keyword => SchemaKeywords.TypeOf(keyword.Name)).OfType<string>().Distinct()];
        return about.Length == 0 ? s_allTypes
            : about.Contains("number") ? [.. about, "integer"]
            : about;
    }

    private static GrammarException Refused(List<SchemaPart> parts, string keyword, string problem)
    {
        SchemaPart part = parts.Find(candidate => candidate[keyword] is not null) ?? parts[0];
        string pointer = part[keyword] is not null ? $"{part.Pointer}/{keyword}" : part.Pointer;
        return new GrammarException($"{What}, {Place(pointer)}: {problem}.");
    }

    private static string Place(string pointer) => pointer.Length == 0 ? "at its root" : pointer;

    private static string Places(List<SchemaPart> parts) => parts.Count == 0 ? "a place that is open" : string.Join(" and ", parts.Select(part => Place(part.Pointer)));

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => $"an array of {value.GetArrayLength()}",
        _ => value.GetRawText(),
    };
}

using System.Text.Json;
using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Schemas;

/// <summary>Objects and arrays.</summary>
internal sealed partial class SchemaReader
{
    /// <summary>Longest name from which other names can be told.</summary>
    private const int MostNameLength = 200;

    private Expression ReadObject(List<SchemaPart> parts)
    {
        foreach (SchemaPart part in parts)
        {
            if (part["unevaluatedProperties"] is { ValueKind: not JsonValueKind.False })
            {
                throw Refused([part], "unevaluatedProperties", "only false is supported");
            }
        }

        HashSet<string> required = [.. parts.SelectMany(Required)];
        List<string> names = [.. parts.SelectMany(part => Properties(part).Keys).Concat(required).Distinct()];
        List<(string Name, Expression Member)> members = [];
        foreach (string name in names)
        {
            List<SchemaPart> schemas = [.. parts.Select(part => Properties(part).GetValueOrDefault(name) ?? Additional(part)).OfType<SchemaPart>()];
            if (!schemas.Exists(schema => schema.Value.ValueKind == JsonValueKind.False))
            {
                members.Add((name, Expression.Then(Expression.Of(_json.Spelling.Quote(name) + ":"), JsonRules.Space, Value(schemas))));
            }
            else if (required.Contains(name))
            {
                throw Refused(parts, "required", $"'{name}' is required, and not allowed");
            }
        }

        Expression? others = null;
        List<SchemaPart> additional = [.. parts.Select(Additional).OfType<SchemaPart>()];
        bool isOpen = additional.Count > 0 || !parts.Exists(part => part["properties"] is not null);
        if (isOpen && !additional.Exists(schema => schema.Value.ValueKind == JsonValueKind.False) && !parts.Exists(part => part["unevaluatedProperties"] is not null))
        {
            if (names.Count == 0 && additional.TrueForAll(schema => schema.Value.ValueKind == JsonValueKind.True))
            {
                return _json.AnyObject;
            }

            if (names.Exists(name => name.Length > MostNameLength))
            {
                throw Refused(parts, "additionalProperties", $"it is not supported beside names of more than {MostNameLength} characters");
            }

            Expression key = names.Count == 0 ? _json.AnyString : _json.Rule($"other names at {Places(parts)}", _json.Spelling.QuotedOtherThan(names));
            others = Expression.Then(key, Expression.Of(":"), JsonRules.Space, Value(additional));
        }

        return JsonRules.Braces("{", Members(members, required, others), "}");
    }

    /// <summary>Members in their order, some of which may be left out, and others behind them.</summary>
    private Expression Members(List<(string Name, Expression Member)> members, HashSet<string> required, Expression? others)
    {
        // From the last to the first: what may follow a member is a rule, made once for all that may come before it.
        Expression after = others is null ? Expression.Empty : new Expression.Repeat(JsonRules.Next(others), 0, null);
        List<Expression> wholes = [others is null ? Expression.Empty : JsonRules.List(others, 0, null)];
        for (int i = members.Count - 1; i >= 0; i--)
        {
            (string name, Expression member) = members[i];
            if (required.Contains(name))
            {
                wholes.Clear();
            }

            wholes.Add(Expression.Then(member, after));
            Expression next = Expression.Then(JsonRules.Next(member), after);
            after = _json.Rule($"what may follow before '{name}'", required.Contains(name) ? next : Expression.Either(next, after));
        }

        return Expression.Either(wholes);
    }

    private Expression Value(List<SchemaPart> schemas) => schemas.Count == 0 ? _json.AnyValue : Read(schemas);

    private static IEnumerable<string> Required(SchemaPart part)
    {
        if (part["required"] is not { } names || names.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return [];
        }

        return names.ValueKind == JsonValueKind.Array && names.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String)
            ? names.EnumerateArray().Select(name => name.GetString()!)
            : throw Refused([part], "required", $"found {Kind(names)}; expected an array of names");
    }

    private static Dictionary<string, SchemaPart> Properties(SchemaPart part)
    {
        if (part["properties"] is not { } properties)
        {
            return [];
        }

        return properties.ValueKind == JsonValueKind.Object
            ? properties.EnumerateObject().ToDictionary(property => property.Name, property => part.Below(property.Value, "properties", property.Name))
            : throw Refused([part], "properties", $"found {Kind(properties)}; expected an object of schemas");
    }

    private static SchemaPart? Additional(SchemaPart part) => part["additionalProperties"] is { } schema ? part.Below(schema, "additionalProperties") : null;

    private Expression ReadArray(List<SchemaPart> parts)
    {
        if (parts.Exists(part => part["uniqueItems"] is { ValueKind: not JsonValueKind.False }))
        {
            throw Refused(parts, "uniqueItems", "only false is supported: what was written before is not looked at again");
        }

        int least = Count(parts, "minItems", Math.Max) ?? 0;
        int? most = Count(parts, "maxItems", Math.Min);
        if (least > (most ?? int.MaxValue))
        {
            throw Refused(parts, "minItems", $"{least} is more than maxItems, which is {most}");
        }

        int firsts = parts.Select(part => Firsts(part).Length).DefaultIfEmpty(0).Max();
        bool isOpen = parts.Exists(part => part["items"] is not null) || firsts < least || firsts == 0;
        bool isClosed = !isOpen || parts.Exists(part => part["items"] is { ValueKind: JsonValueKind.False });
        if (isClosed && firsts < least)
        {
            throw Refused(parts, "minItems", $"{least} items are asked for, and {firsts} allowed");
        }

        int? rest = isClosed ? 0 : most is { } all ? Math.Max(all - firsts, 0) : null;
        Expression item = isClosed || rest == 0 ? Expression.None : Value([.. parts.Select(part => Schema(part, int.MaxValue)).OfType<SchemaPart>()]);
        Expression after = isClosed || rest == 0 ? Expression.Empty : new Expression.Repeat(JsonRules.Next(item), Math.Max(least - firsts, 0), rest);
        Expression whole = isClosed || rest == 0 ? Expression.Empty : JsonRules.List(item, Math.Max(least - firsts, 0), rest);
        for (int i = Math.Min(firsts, most ?? int.MaxValue) - 1; i >= 0; i--)
        {
            Expression value = Value([.. parts.Select(part => Schema(part, i)).OfType<SchemaPart>()]);
            whole = Expression.Then(value, after);
            after = Expression.Then(JsonRules.Next(value), after);
            (whole, after) = i >= least ? (Expression.Optional(whole), Expression.Optional(after)) : (whole, after);
            after = _json.Rule($"what may follow before item {i}", after);
        }

        return JsonRules.Braces("[", whole, "]");
    }

    private static JsonElement[] Firsts(SchemaPart part)
    {
        if (part["items"] is { ValueKind: JsonValueKind.Array })
        {
            throw Refused([part], "items", "an array of schemas is the old form; use prefixItems");
        }

        return part["prefixItems"] is not { } list ? []
            : list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()]
            : throw Refused([part], "prefixItems", $"found {Kind(list)}; expected an array of schemas");
    }

    /// <summary>What a schema asks of the item at a place; null where it asks nothing.</summary>
    private static SchemaPart? Schema(SchemaPart part, int index)
    {
        JsonElement[] firsts = Firsts(part);
        return index < firsts.Length ? part.Below(firsts[index], "prefixItems", $"{index}") : part["items"] is { } items ? part.Below(items, "items") : null;
    }
}

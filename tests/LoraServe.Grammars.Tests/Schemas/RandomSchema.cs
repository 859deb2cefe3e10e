using System.Text.Json.Nodes;

namespace LoraServe.Grammars.Tests.Schemas;

/// <summary>Schemas of all that is supported, by chance.</summary>
internal sealed class RandomSchema(Random random)
{
    private static readonly string[] s_names = ["a", "name", "näme", "a\"b", "", "a/b~c", "naming", "\n"];
    private static readonly string[] s_formats = ["date", "time", "date-time", "uuid", "email", "ipv4", "ipv6", "hostname", "uri", "duration"];
    private static readonly string[] s_patterns = ["^[a-z]{1,4}$", "\\d{3}", "^(a|b\"|\\\\)+$", "^\\S+@\\S+$", "^$|^é+$", "^[^x]*$"];

    public JsonNode Next()
    {
        JsonNode schema = Any(4);
        if (schema is JsonObject root)
        {
            root["$defs"] = new JsonObject
            {
                ["tree"] = JsonNode.Parse("""{"type":"object","properties":{"value":{"type":"integer"},"children":{"type":"array","items":{"$ref":"#/$defs/tree"},"maxItems":2}},"required":["value"],"additionalProperties":false}"""),
                ["small"] = Any(1),
            };
        }

        return schema;
    }

    private JsonNode Any(int depth) => random.Next(depth > 0 ? 14 : 8) switch
    {
        0 => Text(),
        1 => Number("integer"),
        2 => Number("number"),
        3 => new JsonObject { ["type"] = "boolean" },
        4 => new JsonObject { ["enum"] = JsonNode.Parse("""["x", 1, -2.5, null, true, "q\"\n", {"a": [1, "é"]}, []]""") },
        5 => new JsonObject { ["const"] = "fixed\tvalue" },
        6 => random.Next(2) == 0 ? JsonValue.Create(true) : new JsonObject { ["description"] = "anything" },
        7 => new JsonObject { ["$ref"] = random.Next(3) == 0 && depth > 1 ? "#/$defs/small" : "#/$defs/tree" },
        8 => new JsonObject { [random.Next(2) == 0 ? "anyOf" : "anyOf"] = new JsonArray(Any(depth - 1), Any(depth - 1)) },
        9 => Array(depth),
        10 => Tuple(depth),
        11 => All(depth),
        _ => Object(depth),
    };

    private JsonObject Text()
    {
        JsonObject schema = new() { ["type"] = random.Next(4) == 0 ? new JsonArray("string", "null") : "string" };
        switch (random.Next(4))
        {
            case 0:
                schema["format"] = s_formats[random.Next(s_formats.Length)];
                break;
            case 1:
                schema["pattern"] = s_patterns[random.Next(s_patterns.Length)];
                break;
            case 2:
                schema["minLength"] = random.Next(5);
                schema["maxLength"] = 5 + random.Next(20);
                break;
        }

        return schema;
    }

    private JsonObject Number(string type)
    {
        JsonObject schema = new() { ["type"] = type };
        double low = random.Next(-5000, 5000) / (type == "integer" ? 1.0 : 100.0);
        if (random.Next(2) == 0)
        {
            schema[random.Next(2) == 0 ? "minimum" : "exclusiveMinimum"] = (decimal)low;
        }

        if (random.Next(2) == 0)
        {
            schema[random.Next(2) == 0 ? "maximum" : "exclusiveMaximum"] = (decimal)low + random.Next(3, 2000);
        }

        return schema;
    }

    private JsonObject Array(int depth)
    {
        JsonObject schema = new() { ["type"] = "array", ["items"] = Any(depth - 1) };
        if (random.Next(2) == 0)
        {
            schema["minItems"] = random.Next(3);
        }

        if (random.Next(2) == 0)
        {
            schema["maxItems"] = 3 + random.Next(3);
        }

        return schema;
    }

    private JsonObject Tuple(int depth)
    {
        JsonObject schema = new() { ["type"] = "array", ["prefixItems"] = new JsonArray(Any(depth - 1), Any(depth - 1)), ["minItems"] = random.Next(3) };
        if (random.Next(2) == 0)
        {
            schema["items"] = random.Next(2) == 0 ? false : Any(depth - 1);
        }

        return schema;
    }

    private JsonObject Object(int depth)
    {
        JsonObject properties = [];
        JsonArray required = [];
        foreach (string name in s_names.Where(_ => random.Next(3) == 0))
        {
            properties[name] = Any(depth - 1);
            if (random.Next(2) == 0)
            {
                required.Add(name);
            }
        }

        JsonObject schema = new() { ["type"] = "object", ["properties"] = properties, ["required"] = required };
        if (random.Next(2) == 0)
        {
            schema["additionalProperties"] = random.Next(2) == 0 ? random.Next(2) == 0 : Any(depth - 1);
        }

        return schema;
    }

    private JsonObject All(int depth)
    {
        JsonObject one = Object(depth);
        JsonObject other = Object(depth);
        one.Remove("additionalProperties");
        other.Remove("additionalProperties");
        foreach (string shared in one["properties"]!.AsObject().Select(property => property.Key).ToArray())
        {
            other["properties"]!.AsObject().Remove(shared);
        }

        return new JsonObject { ["allOf"] = new JsonArray(one, other) };
    }
}

using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace LoraServe.Templates.Values;

/// <summary>Makes the template's values of the caller's. JSON numbers keep their kind: <c>1</c> is an int, <c>1.0</c> a float.</summary>
internal static class ValueConverter
{
    private const int MaxDigits = 4300;

    public static object? Convert(object? value)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return value switch
        {
            null or bool or long or double or string => value,
            JsonElement json => FromJson(json),
            BigInteger number => Numbers.Normalize(number),
            ulong number => Numbers.Normalize(number),
            byte or sbyte or short or ushort or int or uint => System.Convert.ToInt64(value, CultureInfo.InvariantCulture),
            float or Half or decimal => System.Convert.ToDouble(value, CultureInfo.InvariantCulture),
            IEnumerable<KeyValuePair<string, object?>> fields => FromFields(fields),
            IEnumerable items => new ListValue(items.Cast<object?>().Select(Convert).ToList()),
            _ => throw new EvaluationError($"a variable of type {value.GetType().Name} has no meaning in a template"),
        };
    }

    private static DictValue FromFields(IEnumerable<KeyValuePair<string, object?>> fields)
    {
        DictValue dict = new();
        foreach ((string key, object? value) in fields)
        {
            dict.Set(key, Convert(value));
        }

        return dict;
    }

    private static object? FromJson(JsonElement json)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (json.ValueKind)
        {
            case JsonValueKind.True:
                return true;
            case JsonValueKind.False:
                return false;
            case JsonValueKind.String:
                return Text(json);
            case JsonValueKind.Number:
                return Number(json.GetRawText());
            case JsonValueKind.Array:
                return new ListValue(json.EnumerateArray().Select(FromJson).ToList());
            case JsonValueKind.Object:
                DictValue dict = new();
                foreach (JsonProperty field in json.EnumerateObject())
                {
                    dict.Set(Name(field), FromJson(field.Value));
                }

                return dict;
            default:
                return null;
        }
    }

    private static string Text(JsonElement json)
    {
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw BrokenText();
        }
    }

    private static string Name(JsonProperty field)
    {
        try
        {
            return field.Name;
        }
        catch (InvalidOperationException)
        {
            throw BrokenText();
        }
    }

    private static EvaluationError BrokenText() =>
        new("a JSON string holds half a surrogate pair; send valid Unicode text");

    private static object Number(string text)
    {
        if (text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0)
        {
            return double.Parse(text, CultureInfo.InvariantCulture);
        }

        return text.Length <= MaxDigits
            ? Numbers.Normalize(BigInteger.Parse(text, CultureInfo.InvariantCulture))
            : throw new EvaluationError($"an integer of {text.Length} digits is more than the {MaxDigits} allowed");
    }
}

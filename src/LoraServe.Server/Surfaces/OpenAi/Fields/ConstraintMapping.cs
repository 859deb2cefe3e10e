using System.Text.Json;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces.OpenAi.Fields;

/// <summary>What an answer must be, in OpenAI's form or in vLLM's.</summary>
internal static class ConstraintMapping
{
    private const string FormatField = "response_format";
    private const string OutputsField = "structured_outputs";

    /// <summary>The constraint that is asked for; null for none.</summary>
    public static Constraint? Of(SamplingFields fields)
    {
        Constraint? format = FieldReading.IsSent(fields.ResponseFormat) ? OfFormat(fields.ResponseFormat) : null;
        Constraint? outputs = fields.StructuredOutputs is { } asked ? OfOutputs(asked) : null;
        return format is not null && outputs is not null
            ? throw JsonMessage.Refusal($"Both {FormatField} and {OutputsField} say what the answer must be; send one of them.", OutputsField)
            : format ?? outputs;
    }

    private static Constraint? OfFormat(JsonElement format)
    {
        const string TypeField = $"{FormatField}.type";
        const string SchemaField = $"{FormatField}.json_schema";
        string? type = Member(format, "type", FormatField) is { ValueKind: JsonValueKind.String } named ? named.GetString() : null;
        switch (type)
        {
            case "text":
                return null;
            case "json_object":
                return Constraint.JsonObject with { Field = FormatField };
            case "json_schema":
                JsonElement about = Member(format, "json_schema", FormatField) ?? throw FieldReading.Missing(SchemaField);
                JsonElement schema = Member(about, "schema", SchemaField) ?? throw FieldReading.Missing($"{SchemaField}.schema");
                return Constraint.JsonSchema(schema.GetRawText()) with { Field = FormatField };
            case null:
                throw FieldReading.Missing(TypeField);
            default:
                throw JsonMessage.Refusal($"{TypeField} is '{FieldReading.Shown(type)}'; expected 'text', 'json_object' or 'json_schema'.", TypeField);
        }
    }

    private static Constraint OfOutputs(StructuredOutputs asked)
    {
        Constraint?[] sent =
        [
            FieldReading.IsSent(asked.Json) ? Constraint.JsonSchema(asked.Json.ValueKind == JsonValueKind.String ? asked.Json.GetString()! : asked.Json.GetRawText()) : null,
            asked.JsonObject == true ? Constraint.JsonObject : null,
            asked.Regex is { } pattern ? Constraint.Regex(pattern) : null,
            asked.Choice is { } choices ? Constraint.Choices(choices) : null,
            asked.Grammar is { } grammar ? Constraint.Grammar(grammar) : null,
        ];
        return sent.OfType<Constraint>().ToArray() is [{ } only]
            ? only with { Field = OutputsField }
            : throw JsonMessage.Refusal($"{OutputsField} must say one thing: send json, json_object (true), regex, choice or grammar, and only one of them.", OutputsField);
    }

    private static JsonElement? Member(JsonElement of, string name, string field) =>
        of.ValueKind != JsonValueKind.Object ? throw FieldReading.Invalid(field, "an object", of)
        : of.TryGetProperty(name, out JsonElement value) && FieldReading.IsSent(value) ? value
        : null;
}

using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>A vector as it is written: numbers, or the base64 of their bytes, little end first.</summary>
[JsonConverter(typeof(Converter))]
internal sealed record EmbeddingVector(ReadOnlyMemory<float> Values, bool AsBase64)
{
    internal sealed class Converter : JsonConverter<EmbeddingVector>
    {
        public override EmbeddingVector Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("Vectors are answers; nobody sends them.");

        public override void Write(Utf8JsonWriter writer, EmbeddingVector value, JsonSerializerOptions options)
        {
            if (value.AsBase64)
            {
                writer.WriteBase64StringValue(MemoryMarshal.AsBytes(value.Values.Span));
                return;
            }

            writer.WriteStartArray();
            foreach (float number in value.Values.Span)
            {
                writer.WriteNumberValue(number);
            }

            writer.WriteEndArray();
        }
    }
}

using System.Collections;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Parquet;
using Parquet.Serialization;

namespace LoraServe.Training.Data;

/// <summary>Reads a Parquet file as rows: a column is a field, a missing value null.</summary>
internal static class ParquetRows
{
    private static readonly JsonWriterOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes each row as a line of JSON.</summary>
    /// <param name="path">The file.</param>
    /// <param name="output">Gets the lines.</param>
    /// <param name="mostBytes">Most that its pages may unpack to.</param>
    public static void WriteLines(string path, Stream output, long mostBytes)
    {
        ParquetPages.CheckAsync(path, mostBytes).GetAwaiter().GetResult();
        using FileStream file = File.OpenRead(path);
        int groups = Wait(GroupsAsync(file));
        using var json = new Utf8JsonWriter(output, s_plain);
        for (int group = 0; group < groups; group++)
        {
            file.Position = 0;
            foreach (IDictionary<string, object?> row in Wait(RowsAsync(file, group)))
            {
                Write(json, row);
                json.Flush();
                json.Reset();
                output.Write("\n"u8);
            }
        }
    }

    private static async Task<int> GroupsAsync(Stream file)
    {
        await using ParquetReader reader = await ParquetReader.CreateAsync(file, leaveStreamOpen: true).ConfigureAwait(false);
        return reader.RowGroupCount;
    }

    private static async Task<IEnumerable<IDictionary<string, object?>>> RowsAsync(Stream file, int group) =>
        (await ParquetSerializer.DeserializeUntypedAsync(file, rowGroupIndex: group).ConfigureAwait(false)).Data!;

    // The file is on this machine's disk, and so is the thread's time: nothing else waits for it.
    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static void Write(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case ReadOnlyMemory<char> text:
                json.WriteStringValue(text.Span);
                break;
            case byte[] bytes:
                WriteBytes(json, bytes);
                break;
            case ReadOnlyMemory<byte> bytes:
                WriteBytes(json, bytes.Span);
                break;
            case bool truth:
                json.WriteBooleanValue(truth);
                break;
            case double number:
                WriteNumber(json, number);
                break;
            case float number:
                WriteNumber(json, number);
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case sbyte or byte or short or ushort or int or uint or long:
                json.WriteNumberValue(Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture));
                break;
            case ulong number:
                json.WriteNumberValue(number);
                break;
            case IDictionary<string, object?> fields:
                json.WriteStartObject();
                foreach ((string name, object? field) in fields)
                {
                    json.WritePropertyName(name);
                    Write(json, field);
                }

                json.WriteEndObject();
                break;
            case IDictionary map:
                json.WriteStartObject();
                foreach (DictionaryEntry entry in map)
                {
                    json.WritePropertyName(entry.Key.ToString()!);
                    Write(json, entry.Value);
                }

                json.WriteEndObject();
                break;
            case IEnumerable items:
                json.WriteStartArray();
                foreach (object? item in items)
                {
                    Write(json, item);
                }

                json.WriteEndArray();
                break;
            default:
                json.WriteStringValue(Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture));
                break;
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, double number)
    {
        if (double.IsFinite(number))
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    // Text in a column that does not say that it is text.
    private static void WriteBytes(Utf8JsonWriter json, ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            json.WriteStringValue(bytes);
        }
        else
        {
            json.WriteBase64StringValue(bytes);
        }
    }
}

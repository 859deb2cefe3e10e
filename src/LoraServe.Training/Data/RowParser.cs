using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace LoraServe.Training.Data;

/// <summary>Reads one row: a JSON object in one of the forms in which rows are exchanged.</summary>
/// <param name="file">The file, for errors.</param>
/// <param name="line">Its line, from 1, for errors.</param>
/// <param name="format">The form; <see cref="RowFormat.Auto"/> for what the fields say.</param>
internal readonly ref struct RowParser(string file, int line, RowFormat format = RowFormat.Auto)
{
    /// <summary>Fields of which a row has one: it says what form the row is in.</summary>
    private static readonly (string Field, RowFormat Format)[] s_kinds =
    [
        ("text", RowFormat.Text), ("messages", RowFormat.Messages), ("completion", RowFormat.Prompt), ("references", RowFormat.Prompt), ("chosen", RowFormat.Preference),
        ("preferred_output", RowFormat.Preference), ("conversations", RowFormat.ShareGpt), ("instruction", RowFormat.Alpaca), ("output", RowFormat.Alpaca),
    ];

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <exception cref="TrainingDataException">The line is not a row of any kind.</exception>
    public DataRow Parse(ReadOnlyMemory<byte> utf8)
    {
        if (!Utf8.IsValid(utf8.Span))
        {
            throw Wrong($"byte {ValidPrefix(utf8.Span) + 1} of the line is not UTF-8. Save the file as UTF-8.");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8, s_strict);
            return ToRow(document.RootElement);
        }
        catch (JsonException exception)
        {
            throw Wrong($"not JSON{Place(exception)}. Each line must be one JSON object.", exception);
        }
        catch (InvalidOperationException exception)
        {
            // What the JSON reader throws for \ud800 without its other half.
            throw Wrong("a text has half of a surrogate pair (\\ud800 to \\udfff); expected both halves.", exception);
        }
    }

    /// <summary>Where in the line, and what is wrong there; the reader's own words count lines from 0, of which there is but one.</summary>
    private static string Place(JsonException exception)
    {
        int end = exception.Message.IndexOf(". LineNumber", StringComparison.Ordinal);
        return $"{(exception.BytePositionInLine is { } at ? $" at byte {at + 1}" : "")}: {(end < 0 ? exception.Message.TrimEnd('.') : exception.Message[..end])}";
    }

    private DataRow ToRow(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw Wrong($"a JSON {json.ValueKind}; expected an object.");
        }

        var fields = new RowFields(file, line, json, isForced: format != RowFormat.Auto);
        var conversations = new ConversationReader(fields);
        return fields.Complete((format == RowFormat.Auto ? Detect(fields) : format) switch
        {
            RowFormat.Messages => fields.Row(DataRowKind.Conversation, RowFormat.Messages) with { Conversation = conversations.Read("messages") },
            RowFormat.ShareGpt => fields.Row(DataRowKind.Conversation, RowFormat.ShareGpt) with { Conversation = conversations.Read("conversations") },
            RowFormat.Alpaca => AlpacaReader.Read(fields, conversations),
            RowFormat.Preference => new PreferenceReader(fields, conversations).Read(),
            RowFormat.Text => fields.Row(DataRowKind.Text, RowFormat.Text) with { Answer = fields.Answer("text") },
            _ => Completion(fields, conversations),
        });
    }

    /// <summary>A row of two kinds would be learnt as one of them, and what the other says be lost without a word.</summary>
    private RowFormat Detect(RowFields fields)
    {
        (string Field, RowFormat Format)[] kinds = [.. s_kinds.Where(kind => fields.Says(kind.Field))];
        if (kinds.Length == 0)
        {
            kinds = [.. s_kinds.Where(kind => fields.IsThere(kind.Field))];
        }

        switch (kinds)
        {
            case []:
                throw Wrong($"has {fields.Names()}; expected prompt with completion, references or with chosen and rejected, or messages, or text, or conversations, or instruction with output.");
            case [("instruction", _), ("output", _)]:
                return RowFormat.Alpaca;
            case [("chosen", _), ("conversations" or "instruction", _)]:
                return RowFormat.Preference; // what comes before the answers may be written in any form
            case [var first, var second, ..]:
                throw Wrong($"has both {first.Field} and {second.Field}, which are rows of two kinds. Leave one out, or make two rows of it, or say with the format which is meant.");
        }

        if (kinds[0].Field is not ("completion" or "references" or "chosen") && fields.Says("prompt"))
        {
            throw Wrong($"has {kinds[0].Field} beside prompt, which would not be read. Write prompt and completion, or {kinds[0].Field} alone.");
        }

        if (kinds[0].Format == RowFormat.Prompt && !fields.IsThere("prompt"))
        {
            throw Wrong($"has {fields.Names()}; expected prompt with {kinds[0].Field}.");
        }

        return kinds[0].Format;
    }

    private static DataRow Completion(RowFields fields, ConversationReader conversations)
    {
        if (fields.IsArray("prompt"))
        {
            return fields.Row(DataRowKind.Conversation, RowFormat.Prompt) with { Conversation = conversations.Read("prompt", "completion") };
        }

        if (fields.Says("references"))
        {
            string answer = $" {fields.NotEmpty("references[0]", fields.AsText("references[0]", fields.Items("references")[0]))}";
            return fields.Row(DataRowKind.References, RowFormat.Prompt) with { Prompt = fields.Text("prompt"), Answer = answer };
        }

        return fields.Row(DataRowKind.Completion, RowFormat.Prompt) with { Prompt = fields.Text("prompt"), Answer = fields.Answer("completion") };
    }

    private static int ValidPrefix(ReadOnlySpan<byte> utf8)
    {
        int valid = 0;
        while (Rune.DecodeFromUtf8(utf8[valid..], out _, out int length) == System.Buffers.OperationStatus.Done)
        {
            valid += length;
        }

        return valid;
    }

    private TrainingDataException Wrong(string problem, Exception? innerException = null) => new(file, line, problem, innerException);
}

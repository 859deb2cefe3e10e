using System.Text.Encodings.Web;
using System.Text.Json;
using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Models;

namespace LoraServe.Tokenization.Files;

/// <summary>Writes the tokenizer that a GGUF file describes as the files of a Hugging Face directory.</summary>
/// <remarks>Where a vocabulary of model "llama" has two tokens of one score, the order in which a tokenizer.json lists merges decides between them, which the scores do not say.</remarks>
public static class GgufTokenizerFiles
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether there are components of tokenizer.json that do what this tokenizer does: for byte-pair models.</summary>
    public static bool CanWrite(GgufTokenizerData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return data.Model is "gpt2" or "llama";
    }

    /// <summary>Writes a tokenizer.json.</summary>
    /// <exception cref="TokenizerFormatException">The metadata contradicts itself or is of a kind that cannot be written.</exception>
    public static void WriteTokenizer(GgufTokenizerData data, Stream output)
    {
        GgufBpe tokenizer = CanWrite(data)
            ? GgufTokenizer.Describe(data)
            : throw new TokenizerFormatException($"{data.Source}: tokenizer.ggml.model '{data.Model}' cannot be written as a tokenizer.json");
        using var json = new Utf8JsonWriter(output, s_options);
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        WriteAdded(json, tokenizer.Added);
        WriteComponent(json, "normalizer", tokenizer.Normalizer);
        WriteComponent(json, "pre_tokenizer", tokenizer.PreTokenizer);
        WriteFrame(json, tokenizer);
        WriteComponent(json, "decoder", tokenizer.Decoder);
        WriteModel(json, tokenizer.Model);
        json.WriteEndObject();
    }

    /// <summary>Writes a tokenizer_config.json: the tokens with a part to play.</summary>
    /// <exception cref="TokenizerFormatException">The metadata contradicts itself or is of a kind that cannot be written.</exception>
    public static void WriteSettings(GgufTokenizerData data, Stream output)
    {
        ArgumentNullException.ThrowIfNull(data);
        SpecialTokenIds ids = GgufTokenizer.Describe(data).SpecialIds;
        using var json = new Utf8JsonWriter(output, s_options with { Indented = true });
        json.WriteStartObject();
        json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        foreach ((string role, int? id) in (ReadOnlySpan<(string, int?)>)[("bos_token", ids.Bos), ("eos_token", ids.Eos), ("unk_token", ids.Unknown), ("pad_token", ids.Padding)])
        {
            if (id is { } token)
            {
                json.WriteString(role, data.Tokens[token]);
            }
        }

        json.WriteEndObject();
    }

    private static void WriteComponent(Utf8JsonWriter json, string name, string? component)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(component ?? "null");
    }

    private static void WriteAdded(Utf8JsonWriter json, List<AddedToken> tokens)
    {
        json.WriteStartArray("added_tokens");
        foreach (AddedToken token in tokens)
        {
            json.WriteStartObject();
            json.WriteNumber("id", token.Id);
            json.WriteString("content", token.Content);
            json.WriteBoolean("single_word", token.IsSingleWord);
            json.WriteBoolean("lstrip", token.StripsLeft);
            json.WriteBoolean("rstrip", token.StripsRight);
            json.WriteBoolean("normalized", token.IsNormalized);
            json.WriteBoolean("special", token.IsSpecial);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteFrame(Utf8JsonWriter json, GgufBpe tokenizer)
    {
        AddedToken[] tokens = [.. tokenizer.Frame.Before.Concat(tokenizer.Frame.After).DistinctBy(token => token.Id)];
        if (tokens.Length == 0)
        {
            json.WriteNull("post_processor");
            return;
        }

        json.WriteStartObject("post_processor");
        json.WriteString("type", "TemplateProcessing");
        WriteTemplate(json, "single", tokenizer, ["A"]);
        WriteTemplate(json, "pair", tokenizer, ["A", "B"]);
        json.WriteStartObject("special_tokens");
        foreach (AddedToken token in tokens)
        {
            json.WriteStartObject(token.Content);
            json.WriteString("id", token.Content);
            json.WriteStartArray("ids");
            json.WriteNumberValue(token.Id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            json.WriteStringValue(token.Content);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteTemplate(Utf8JsonWriter json, string name, GgufBpe tokenizer, ReadOnlySpan<string> texts)
    {
        json.WriteStartArray(name);
        for (int type = 0; type < texts.Length; type++)
        {
            WritePieces(json, "SpecialToken", tokenizer.Frame.Before.Select(token => token.Content), type);
            WritePieces(json, "Sequence", [texts[type]], type);
            WritePieces(json, "SpecialToken", tokenizer.Frame.After.Select(token => token.Content), type);
        }

        json.WriteEndArray();
    }

    private static void WritePieces(Utf8JsonWriter json, string kind, IEnumerable<string> ids, int type)
    {
        foreach (string id in ids)
        {
            json.WriteStartObject();
            json.WriteStartObject(kind);
            json.WriteString("id", id);
            json.WriteNumber("type_id", type);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static void WriteModel(Utf8JsonWriter json, BpeConfig model)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteString("unk_token", model.Vocabulary.Text(model.UnknownId));
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", model.FusesUnknown);
        json.WriteBoolean("byte_fallback", model.HasByteFallback);
        json.WriteBoolean("ignore_merges", model.IgnoreMerges);
        json.WriteStartObject("vocab");
        for (int id = 0; id < model.Vocabulary.Size; id++)
        {
            if (model.Vocabulary.Text(id) is { } token)
            {
                json.WriteNumber(token, id);
            }
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach ((int left, int right) in model.Merges.InOrder())
        {
            json.WriteStartArray();
            json.WriteStringValue(model.Vocabulary.Text(left));
            json.WriteStringValue(model.Vocabulary.Text(right));
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}

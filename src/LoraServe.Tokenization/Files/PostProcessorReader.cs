using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.PostProcessors;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads the post-processor of a tokenizer.json.</summary>
internal sealed class PostProcessorReader(Func<int, bool> isKnownId)
{
    public PostProcessor Read(JsonNode node)
    {
        string type = node["type"].AsString();
        return type switch
        {
            "Sequence" => new SequencePostProcessor([.. node["processors"].Items().Select(Read)]),
            "ByteLevel" => ReadTrim(node),
            "TemplateProcessing" => ReadTemplate(node),
            "BertProcessing" => new FramePostProcessor([ReadToken(node["cls"])], [ReadToken(node["sep"])]),
            "RobertaProcessing" => new SequencePostProcessor([
                ReadTrim(node),
                new FramePostProcessor([ReadToken(node["cls"])], [ReadToken(node["sep"])]),
            ]),
            _ => throw node.Refused($"the post-processor '{type}' is not supported"),
        };
    }

    private static PostProcessor ReadTrim(JsonNode node) =>
        node.BoolOr("trim_offsets", true)
            ? new TrimOffsetsPostProcessor(node.BoolOr("add_prefix_space", true))
            : new SequencePostProcessor([]);

    private AddedToken ReadToken(JsonNode pair)
    {
        List<JsonNode> parts = [.. pair.Items()];
        return parts.Count == 2
            ? new AddedToken(KnownId(parts[1]), parts[0].AsString())
            : throw pair.Refused($"found {parts.Count} items; expected a token and its id");
    }

    private FramePostProcessor ReadTemplate(JsonNode node)
    {
        Dictionary<string, List<AddedToken>> tokens = [];
        foreach ((string name, JsonNode token) in node.Find("special_tokens")?.Fields() ?? [])
        {
            List<int> ids = [.. token["ids"].Items().Select(KnownId)];
            List<string> texts = [.. token["tokens"].Items().Select(text => text.AsString())];
            if (ids.Count != texts.Count)
            {
                throw token.Refused($"'{name}' has {ids.Count} ids and {texts.Count} tokens; expected as many of both");
            }

            tokens[name] = [.. ids.Zip(texts, (id, text) => new AddedToken(id, text))];
        }

        List<AddedToken> before = [];
        List<AddedToken> after = [];
        int sequences = 0;
        foreach (JsonNode piece in node["single"].Items())
        {
            if (piece.Find("Sequence") is { } sequence)
            {
                string id = sequence["id"].AsString();
                if (id != "A" || ++sequences > 1)
                {
                    throw sequence.Refused($"found the sequence '{id}'; expected 'A', once");
                }

                continue;
            }

            JsonNode name = piece["SpecialToken"]["id"];
            (sequences == 0 ? before : after).AddRange(
                tokens.GetValueOrDefault(name.AsString()) ?? throw name.Refused($"'{name.AsString()}' is not among the template's special_tokens"));
        }

        return sequences == 1 ? new FramePostProcessor(before, after) : throw node.Refused("the template has no place for the text (sequence 'A')");
    }

    private int KnownId(JsonNode node) =>
        isKnownId(node.AsInt()) ? node.AsInt() : throw node.Refused($"the id {node.AsInt()} is not in the vocabulary");
}

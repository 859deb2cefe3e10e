using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Models.Text;
using LoraServe.Tokenization;

namespace LoraServe.Cli.Verbs;

/// <summary><c>loraserve tokenize</c>: the token ids of a text, for comparison with other engines.</summary>
internal static class TokenizeVerb
{
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "A GGUF file, a Hugging Face directory or a tokenizer.json.", Required = true, HelpName = "PATH" };
        var text = new Option<string>("--text") { Description = "The text.", HelpName = "TEXT" };
        var file = new Option<FileInfo>("--file") { Description = "A file with the text, in UTF-8.", HelpName = "FILE" };
        var special = new Option<bool>("--add-special-tokens") { Description = "Put the tokens around the text that the model expects, such as the begin token." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object with ids, tokens and offsets (in code points)." };
        var verb = new Command("tokenize", "Print the token ids of a text.") { model, text, file, special, json };
        verb.SetAction(arguments =>
        {
            string path = ModelArguments.OfFiles(arguments.GetValue(model)!);
            Tokenizer tokenizer = ModelText.Read(path).Tokenizer ?? throw new CommandException($"{path} has no tokenizer.");
            string input = (arguments.GetValue(text), arguments.GetValue(file)) switch
            {
                ({ } given, null) => given,
                (null, { } source) => Encoding.UTF8.GetString(File.ReadAllBytes(source.FullName)), // a byte order mark is text too
                _ => throw new UsageException("Give either --text or --file."),
            };
            TokenEncoding encoding = tokenizer.EncodeWithOffsets(input, arguments.GetValue(special));
            arguments.InvocationConfiguration.Output.WriteLine(arguments.GetValue(json)
                ? JsonSerializer.Serialize(
                    new
                    {
                        ids = encoding.Ids,
                        tokens = encoding.Tokens,
                        offsets = encoding.Offsets.Select(offset => new[] { offset.Start, offset.End }),
                        decoded = tokenizer.Decode([.. encoding.Ids], skipSpecialTokens: false),
                    },
                    s_json)
                : string.Join(' ', encoding.Ids));
        });
        return verb;
    }
}

using System.Text;
using System.Text.Json;
using LoraServe.Fuzz.Seeds;
using LoraServe.Models.Text;
using LoraServe.Models.Text.ToolCalls;
using LoraServe.Templates;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Targets;

/// <summary>Answers of models that may hold tool calls, read in every form.</summary>
internal sealed class ToolCallTarget : FuzzTarget
{
    private const string FileName = "answer.calls";
    private const int Piece = 7;

    private static readonly JsonElement s_tools = JsonElement.Parse("""
        [{"type": "function", "function": {"name": "f", "description": "d",
          "parameters": {"type": "object", "properties": {"a": {"type": "number"}, "s": {"type": "string"}}, "required": ["a"]}}}]
        """);

    private static readonly object[] s_messages =
    [
        .. JsonElement.Parse("""
            [{"role": "user", "content": "q"},
             {"role": "assistant", "content": "", "tool_calls": [{"id": "abcdefghi", "type": "function",
              "function": {"name": "f", "arguments": {"a": 1.5, "s": "x \"é\" \ud83d\ude00 <y>", "l": [1, {"d": null}]}}}]}]
            """).EnumerateArray().Cast<object>(),
    ];

    private static readonly Lazy<ChatFormat[]> s_formats = new(() =>
    [
        .. from folder in new[] { Repository.Fixture("chat/templates"), SharedFiles.TryGet("fixtures/chat/templates") }
           where folder is not null
           from path in Directory.GetFiles(folder, "*.jinja").Order(StringComparer.Ordinal)
           let format = ChatFormat.Of(new ModelText(Path.GetFileName(path), Templates: ChatTemplates.Of(File.ReadAllText(path))))
           where format.ToolCalls is not null
           select format,
    ]);

    public override string Name => "tool-calls";

    /// <summary>An answer is read in all forms, twice in each, letter by letter; what that makes is soon gone.</summary>
    public override long AllowedBytes => 4L << 30;

    public override void Read(string folder)
    {
        string answer = Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(folder, FileName)));
        foreach (ToolCallForm form in ToolCallForms.All)
        {
            string whole = Parts(form, [answer]);
            string pieces = Parts(form, answer.Chunk(Piece).Select(piece => new string(piece)));
            if (whole != pieces)
            {
                throw new InvalidOperationException($"{form.Name}: the answer as a whole is {whole}, in pieces {pieces}.");
            }
        }
    }

    protected override IEnumerable<Seed> MakeSeeds() =>
        from format in s_formats.Value.DistinctBy(format => format.ToolCalls!.Name)
        let answer = Written(format)
        where answer is not null
        select Seed.Of(format.ToolCalls!.Name, FileName, Encoding.UTF8.GetBytes(answer));

    private static string? Written(ChatFormat format)
    {
        try
        {
            string written = format.Write(s_messages, s_tools).Text;
            return written[(written.LastIndexOf('q') + 1)..];
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    // What is said of each kind and call, put together: where it is parted depends on the pieces.
    private static string Parts(ToolCallForm form, IEnumerable<string> pieces)
    {
        ToolCallReader reader = form.CreateReader(new ToolSet(s_tools.EnumerateArray()), new ToolCallIds("request", 0));
        var all = new StringBuilder();
        AnswerPart last = default;
        foreach (AnswerPart part in pieces.SelectMany(piece => reader.Append(piece)).Concat(reader.Finish()))
        {
            all.Append(part.Kind == last.Kind && part.Call == last.Call ? "" : $"\n{part.Kind} {part.Call} {part.Id}: ").Append(part.Text);
            last = part;
            if (part.Kind == AnswerPartKind.CallEnd)
            {
                last = default;
            }
        }

        return all.ToString();
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoraServe.Models.Text.ToolCalls;
using LoraServe.Serving;
using LoraServe.Serving.Requests;

namespace LoraServe.Cli.Verbs;

/// <summary>Prints an answer, with the tool calls in it.</summary>
internal static class AnswerPrinter
{
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>As it comes; each call on a line of its own.</summary>
    /// <param name="generation">The answer.</param>
    /// <param name="calls">Reads calls out of it; null where there are none to be read.</param>
    /// <param name="terminal">Where to print.</param>
    public static async Task PrintTextAsync(Generation generation, ToolCallReader? calls, InvocationConfiguration terminal)
    {
        long begun = Stopwatch.GetTimestamp();
        bool hasText = false;
        await foreach (AnswerPart part in PartsAsync(generation, calls, _ => { }).ConfigureAwait(false))
        {
            string text = part.Kind switch
            {
                AnswerPartKind.CallBegin => $"{(hasText ? "\n" : "")}{part.Text} ",
                AnswerPartKind.CallBroken => "",
                _ => part.Text,
            };
            hasText = true;
            await terminal.Output.WriteAsync(text).ConfigureAwait(false);
        }

        await terminal.Output.WriteLineAsync().ConfigureAwait(false);
        if (!Console.IsErrorRedirected)
        {
            int tokens = generation.Usage.CompletionTokens;
            await terminal.Error.WriteLineAsync($"{tokens} tokens, {tokens / Stopwatch.GetElapsedTime(begun).TotalSeconds:F1} per second").ConfigureAwait(false);
        }
    }

    /// <summary>As one object, when all is there.</summary>
    public static async Task PrintJsonAsync(Generation generation, ToolCallReader? calls, TextWriter output)
    {
        var read = new ReadParts();
        var ids = new List<int>();
        var finish = FinishReason.None;
        await foreach (AnswerPart part in PartsAsync(generation, calls, Note).ConfigureAwait(false))
        {
            read.Add(part);
        }

        await output.WriteLineAsync(JsonSerializer.Serialize(
            new
            {
                text = read.Text,
                tool_calls = read.Calls.Select(call => new { id = call.Id, name = call.Name, arguments = JsonElement.Parse(call.Arguments) }),
                token_ids = ids,
                finish_reason = finish.ToString().ToLowerInvariant(),
                usage = new { prompt_tokens = generation.Usage.PromptTokens, completion_tokens = generation.Usage.CompletionTokens },
                adapters = generation.Adapters.Select(adapter => new { name = adapter.Name, version = adapter.Version, digest = adapter.Digest, weight = adapter.Weight }),
            },
            s_json)).ConfigureAwait(false);

        void Note(GeneratedToken token)
        {
            ids.Add(token.TokenId);
            finish = token.Finish;
        }
    }

    private static async IAsyncEnumerable<AnswerPart> PartsAsync(Generation generation, ToolCallReader? calls, Action<GeneratedToken> note)
    {
        await foreach (GeneratedToken token in generation.ConfigureAwait(false))
        {
            note(token);
            foreach (AnswerPart part in calls?.Append(token.Text) ?? [new AnswerPart(AnswerPartKind.Text, token.Text)])
            {
                yield return part;
            }
        }

        foreach (AnswerPart part in calls?.Finish() ?? [])
        {
            yield return part;
        }
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoraServe.Adapters.Merging;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;

namespace LoraServe.Cli.Verbs;

/// <summary><c>loraserve generate</c>: one prompt, continued in this process and shown as it comes.</summary>
internal static class GenerateVerb
{
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var model = new ModelArguments();
        var adapters = new Option<string[]>("--adapter") { Description = "An adapter, called NAME or as its folder. Repeatable.", HelpName = "[NAME=]DIR[#TASK]" };
        var use = new Option<string>("--use") { Description = "Which adapters answer, such as style:0.5+support. [default: all that are given]", HelpName = "NAME[:WEIGHT][+NAME...]" };
        var prompt = new Option<string>("--prompt") { Description = "The text to continue.", Required = true, HelpName = "TEXT" };
        var chat = new Option<bool>("--chat") { Description = "Take the prompt as a user's message, through the chat template of the model, or of its adapter where that brings one." };
        Option<bool> baseTemplate = TemplateArguments.Create();
        var maxTokens = new Option<int>("--max-tokens") { Description = "Most tokens to generate.", DefaultValueFactory = _ => 256, HelpName = "N" };
        var temperature = new Option<float>("--temperature") { Description = "0 always takes the most likely token.", HelpName = "F" };
        var seed = new Option<ulong?>("--seed") { Description = "Same seed, same answer.", HelpName = "N" };
        var combination = new CombinationArguments("each adapter adds its own change", seedName: "--method-seed");
        var json = new Option<bool>("--json") { Description = "Print one JSON object when all is generated." };
        var verb = new Command("generate", "Continue a prompt with a model and its adapters.");
        model.AddTo(verb);
        foreach (Option option in new Option[] { adapters, use, prompt, chat, baseTemplate, maxTokens, temperature, seed, json })
        {
            verb.Add(option);
        }

        combination.AddTo(verb);
        verb.SetAction(async (arguments, cancellationToken) =>
        {
            NamedAdapter[] named = NamedAdapter.ParseAll(arguments.GetValue(adapters) ?? []);
            IReadOnlyList<AdapterReference> stack = arguments.GetValue(use) is { } text
                ? AdapterReference.ParseStack(text)
                : [.. named.Select(adapter => adapter.Reference)];
            if (stack.Select(part => part.Name).FirstOrDefault(name => !named.Any(adapter => name == adapter.Name || name.StartsWith($"{adapter.Name}@", StringComparison.Ordinal))) is { } unknown)
            {
                throw new UsageException($"--use names '{unknown}', which no --adapter is called{(named.Length > 0 ? $"; there is {string.Join(", ", named.Select(adapter => adapter.Name))}" : "")}.");
            }

            CombinationOptions? combined = combination.Read(arguments);
            int mostTokens = arguments.AtLeastOne(maxTokens);
            using LoadedModel loaded = model.Load(arguments);
            string given = arguments.GetValue(prompt)!;
            await using var engine = new InferenceEngine(loaded, new EngineOptions { Workers = model.Threads(arguments), UseAdapterTemplates = !arguments.GetValue(baseTemplate) });
            await NamedAdapter.PublishAsync(named, engine, arguments.InvocationConfiguration.Error, cancellationToken).ConfigureAwait(false);
            (_, ModelText? brought) = await engine.Adapters.TextOfAsync(Principal.Operator, stack, cancellationToken).ConfigureAwait(false);
            var request = new GenerationRequest
            {
                Prompt = arguments.GetValue(chat) ? AsChat(loaded.Text.With(brought), given) : given,
                AddSpecialTokens = !arguments.GetValue(chat),
                Adapters = stack,
                Combination = combined,
                Sampling = new SamplingOptions { MaxTokens = mostTokens, Temperature = arguments.GetValue(temperature), Seed = arguments.GetValue(seed) },
            };

            Generation generation = await engine.GenerateAsync(request, cancellationToken).ConfigureAwait(false);
            await (arguments.GetValue(json)
                ? PrintJsonAsync(generation, arguments.InvocationConfiguration.Output)
                : PrintTextAsync(generation, arguments.InvocationConfiguration)).ConfigureAwait(false);
        });
        return verb;
    }

    private static string AsChat(ModelText text, string prompt)
    {
        ChatFormat chat = ChatFormat.Of(text) ?? throw new CommandException($"{text.Name} has no chat template; leave --chat away.");
        return chat.Render(new[] { new Dictionary<string, object?> { ["role"] = "user", ["content"] = prompt } });
    }

    private static async Task PrintTextAsync(Generation generation, InvocationConfiguration terminal)
    {
        long begun = Stopwatch.GetTimestamp();
        await foreach (GeneratedToken token in generation.ConfigureAwait(false))
        {
            await terminal.Output.WriteAsync(token.Text).ConfigureAwait(false);
        }

        await terminal.Output.WriteLineAsync().ConfigureAwait(false);
        if (!Console.IsErrorRedirected)
        {
            int tokens = generation.Usage.CompletionTokens;
            await terminal.Error.WriteLineAsync($"{tokens} tokens, {tokens / Stopwatch.GetElapsedTime(begun).TotalSeconds:F1} per second").ConfigureAwait(false);
        }
    }

    private static async Task PrintJsonAsync(Generation generation, TextWriter output)
    {
        var text = new StringBuilder();
        var ids = new List<int>();
        var finish = FinishReason.None;
        await foreach (GeneratedToken token in generation.ConfigureAwait(false))
        {
            text.Append(token.Text);
            ids.Add(token.TokenId);
            finish = token.Finish;
        }

        await output.WriteLineAsync(JsonSerializer.Serialize(
            new
            {
                text = text.ToString(),
                token_ids = ids,
                finish_reason = finish.ToString().ToLowerInvariant(),
                usage = new { prompt_tokens = generation.Usage.PromptTokens, completion_tokens = generation.Usage.CompletionTokens },
                adapters = generation.Adapters.Select(adapter => new { name = adapter.Name, version = adapter.Version, digest = adapter.Digest, weight = adapter.Weight }),
            },
            s_json)).ConfigureAwait(false);
    }
}

using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using LoraServe.Adapters.Merging;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.Models.Text.ToolCalls;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;

namespace LoraServe.Cli.Verbs;

/// <summary><c>loraserve generate</c>: one prompt, continued in this process and shown as it comes.</summary>
internal static class GenerateVerb
{
    public static Command Create()
    {
        var model = new ModelArguments();
        var adapters = new Option<string[]>("--adapter") { Description = "An adapter, called NAME or as its folder. Repeatable.", HelpName = "[NAME=]DIR[#TASK]" };
        var use = new Option<string>("--use") { Description = "Which adapters answer, such as style:0.5+support. [default: all that are given]", HelpName = "NAME[:WEIGHT][+NAME...]" };
        var prompt = new Option<string>("--prompt") { Description = "The text to continue.", Required = true, HelpName = "TEXT" };
        var chat = new Option<bool>("--chat") { Description = "Take the prompt as a user's message, through the chat template of the model, or of its adapter where that brings one." };
        var tools = new Option<string>("--tools") { Description = "With --chat: tools that the model may call, as a JSON array. Calls are printed, not made.", HelpName = "FILE" };
        Option<bool> baseTemplate = TemplateArguments.Create();
        var maxTokens = new Option<int>("--max-tokens") { Description = "Most tokens to generate.", DefaultValueFactory = _ => 256, HelpName = "N" };
        var temperature = new Option<float>("--temperature") { Description = "0 always takes the most likely token.", HelpName = "F" };
        var seed = new Option<ulong?>("--seed") { Description = "Same seed, same answer.", HelpName = "N" };
        var constraint = new ConstraintArguments();
        var combination = new CombinationArguments("each adapter adds its own change", seedName: "--method-seed");
        var json = new Option<bool>("--json") { Description = "Print one JSON object when all is generated." };
        var verb = new Command("generate", "Continue a prompt with a model and its adapters.");
        model.AddTo(verb);
        foreach (Option option in new Option[] { adapters, use, prompt, chat, tools, baseTemplate, maxTokens, temperature, seed, json })
        {
            verb.Add(option);
        }

        constraint.AddTo(verb);
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
            Constraint? constrained = constraint.Read(arguments);
            int mostTokens = arguments.AtLeastOne(maxTokens);
            using LoadedModel loaded = model.Load(arguments);
            string given = arguments.GetValue(prompt)!;
            await using var engine = new InferenceEngine(loaded, new EngineOptions { Workers = model.Threads(arguments), UseAdapterTemplates = !arguments.GetValue(baseTemplate) });
            await NamedAdapter.PublishAsync(named, engine, arguments.InvocationConfiguration.Error, cancellationToken).ConfigureAwait(false);
            (_, ModelText? brought) = await engine.Adapters.TextOfAsync(Principal.Operator, stack, cancellationToken).ConfigureAwait(false);
            ChatFormat? format = arguments.GetValue(chat) ? FormatOf(loaded.Text.With(brought)) : null;
            JsonElement? offered = arguments.GetValue(tools) is { } file ? ToolFile.Read(file, format) : null;
            ToolCallForm? calls = offered is null ? null : format!.ToolCalls;
            var request = new GenerationRequest
            {
                Prompt = format?.Render([new Dictionary<string, object?> { ["role"] = "user", ["content"] = given }], offered) ?? given,
                AddSpecialTokens = format is null,
                VisibleTokens = calls is not null && loaded.Tokenizer is { } tokenizer ? calls.TokensOf(tokenizer) : ImmutableHashSet<int>.Empty,
                Adapters = stack,
                Combination = combined,
                Sampling = new SamplingOptions { MaxTokens = mostTokens, Temperature = arguments.GetValue(temperature), Seed = arguments.GetValue(seed), Constraint = constrained },
            };

            Generation generation = await engine.GenerateAsync(request, cancellationToken).ConfigureAwait(false);
            ToolCallReader? reader = calls?.CreateReader(new ToolSet(offered!.Value.EnumerateArray()), new ToolCallIds(generation.RequestId, choice: 0));
            await (arguments.GetValue(json)
                ? AnswerPrinter.PrintJsonAsync(generation, reader, arguments.InvocationConfiguration.Output)
                : AnswerPrinter.PrintTextAsync(generation, reader, arguments.InvocationConfiguration)).ConfigureAwait(false);
        });
        return verb;
    }

    private static ChatFormat FormatOf(ModelText text) => ChatFormat.Of(text) ?? throw new CommandException($"{text.Name} has no chat template; leave --chat away.");
}

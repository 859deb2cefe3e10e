using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoraServe.Grammars;
using LoraServe.Grammars.Rules;
using LoraServe.Models.Text;
using LoraServe.Models.Text.ToolCalls;
using LoraServe.Serving.Requests;
using LoraServe.Tokenization;

namespace LoraServe.Server.Surfaces;

/// <summary>The tools of a conversation: which are shown to the model, and how its calls are read.</summary>
internal sealed partial class ToolUse
{
    /// <summary>The choice to call tools or not; also what is meant where nothing is said.</summary>
    public const string Auto = "auto";

    /// <summary>The choice to hide all tools.</summary>
    public const string None = "none";

    /// <summary>The choice that some tool is called.</summary>
    public const string Required = "required";

    /// <summary>Most tools of a conversation.</summary>
    public const int MaxTools = 128;

    /// <summary>Most calls that an answer is made to have where it may have several.</summary>
    private const int MostForced = 8;

    private const string ChoiceField = "tool_choice";

    private readonly ToolCallForm? _form;
    private readonly ToolSet _set;
    private readonly Constraint? _forced;

    private ToolUse(IReadOnlyList<JsonElement> shown, ToolSet set, ToolCallForm? form, Constraint? forced = null) => (Shown, _set, _form, _forced) = (shown, set, form, forced);

    /// <summary>No tools at all.</summary>
    public static ToolUse Nothing { get; } = new([], new ToolSet([]), null);

    /// <summary>The tools that the template writes.</summary>
    public IReadOnlyList<JsonElement> Shown { get; }

    /// <summary>What a caller asks for.</summary>
    /// <param name="tools">Tools as the template expects them.</param>
    /// <param name="choice">One of the choices above, or a tool's name; empty for the usual one.</param>
    /// <param name="chat">The model's format; null where it has none.</param>
    /// <param name="mayBeSeveral">Whether an answer that must call may call several times.</param>
    /// <exception cref="EngineException">The choice cannot be had.</exception>
    public static ToolUse Of(IReadOnlyList<JsonElement> tools, string choice, ChatFormat? chat, bool mayBeSeveral)
    {
        var set = new ToolSet(tools);
        switch (choice)
        {
            case "" or Auto:
                return tools.Count == 0 ? Nothing : new ToolUse(tools, set, chat?.ToolCalls);
            case None:
                return Nothing;
            case Required when set.Names.Count > 0:
                return Forcing(tools, set, set.Names, chat, mayBeSeveral ? MostForced : 1);
            case Required:
                throw new EngineException(EngineError.InvalidRequest, $"tool_choice is '{Required}', and there are no tools. Send tools.") { Field = ChoiceField };
            default:
                return set.Has(choice)
                    ? Forcing(tools, set, [choice], chat, 1)
                    : throw new EngineException(EngineError.InvalidRequest, $"tool_choice is '{choice}'; expected {Auto}, {None}, {Required} or the name of one of tools.") { Field = ChoiceField };
        }
    }

    /// <summary>A conversation's request as tools want it: with the tokens in its answers that calls are made of, and with calls forced where they are.</summary>
    /// <remarks>Where calls are forced an answer says nothing else, so what else was asked of it has no meaning.</remarks>
    public GenerationRequest Apply(GenerationRequest request, Tokenizer? tokenizer) => request with
    {
        VisibleTokens = _form is null || tokenizer is null ? ImmutableHashSet<int>.Empty : _form.TokensOf(tokenizer),
        Sampling = _forced is null ? request.Sampling : request.Sampling with { Constraint = _forced },
    };

    /// <summary>A reader of one answer.</summary>
    /// <param name="requestId">The request's id.</param>
    /// <param name="choice">Which of its answers.</param>
    public ChoiceReader CreateReader(string requestId, int choice) => new(_form?.CreateReader(_set, new ToolCallIds(requestId, choice)));

    private static ToolUse Forcing(IReadOnlyList<JsonElement> tools, ToolSet set, IReadOnlyCollection<string> names, ChatFormat? chat, int most)
    {
        foreach (string name in names)
        {
            // In most forms nothing says where a name ends but what no name has.
            if (!PlainName().IsMatch(name))
            {
                throw new EngineException(EngineError.InvalidRequest, $"tool_choice cannot force a call of '{name}'; expected a name of up to 64 letters, digits, '_', '-' and '.'.") { Field = ChoiceField };
            }

            Check(name, set.ParametersOf(name));
        }

        ToolCallForm form = chat?.ToolCalls ?? ToolCallForm.Plain;
        return new ToolUse(tools, set, form, Constraint.Grammar(form.GrammarOf(set, names, most)) with { Field = ChoiceField });
    }

    [GeneratedRegex("^[A-Za-z0-9_.-]{1,64}\\z")]
    private static partial Regex PlainName();

    // Within the grammar of all calls a refusal would not say which tool it is about.
    private static void Check(string name, JsonElement? parameters)
    {
        try
        {
            _ = parameters is { } schema ? Grammar.FromJsonSchema(schema.GetRawText()) : null;
        }
        catch (GrammarException error)
        {
            throw new EngineException(EngineError.InvalidRequest, $"tool_choice cannot force a call of '{name}', whose parameters are refused: {error.Message}", error) { Field = ChoiceField };
        }
    }
}

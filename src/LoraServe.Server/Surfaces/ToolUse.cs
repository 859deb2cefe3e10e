using System.Collections.Immutable;
using System.Text.Json;
using LoraServe.Models.Text;
using LoraServe.Models.Text.ToolCalls;
using LoraServe.Serving.Requests;
using LoraServe.Tokenization;

namespace LoraServe.Server.Surfaces;

/// <summary>The tools of a conversation: which are shown to the model, and how its calls are read.</summary>
internal sealed class ToolUse
{
    /// <summary>The choice to call tools or not; also what is meant where nothing is said.</summary>
    public const string Auto = "auto";

    /// <summary>The choice to hide all tools.</summary>
    public const string None = "none";

    /// <summary>The choice that some tool is called.</summary>
    public const string Required = "required";

    private readonly ToolCallForm? _form;
    private readonly ToolSet _set;

    private ToolUse(IReadOnlyList<JsonElement> shown, ToolCallForm? form)
    {
        Shown = shown;
        _form = shown.Count > 0 ? form : null;
        _set = new ToolSet(shown);
    }

    /// <summary>No tools at all.</summary>
    public static ToolUse Nothing { get; } = new([], null);

    /// <summary>The tools that the template writes.</summary>
    public IReadOnlyList<JsonElement> Shown { get; }

    /// <summary>What a caller asks for.</summary>
    /// <param name="tools">Tools as the template expects them.</param>
    /// <param name="choice">One of the choices above, or a tool's name; empty for the usual one.</param>
    /// <param name="chat">The model's format; null where it has none.</param>
    /// <exception cref="EngineException">The choice cannot be had.</exception>
    public static ToolUse Of(IReadOnlyList<JsonElement> tools, string choice, ChatFormat? chat) => choice switch
    {
        "" or Auto => tools.Count == 0 ? Nothing : new ToolUse(tools, chat?.ToolCalls),
        None => Nothing,
        Required => throw new EngineException(EngineError.Unsupported, "tool_choice is 'required', which this server cannot bring about. Use 'auto' and say in a message that a tool is to be called."),
        _ when new ToolSet(tools).Has(choice) => throw new EngineException(
            EngineError.Unsupported, $"tool_choice names the tool '{choice}', which this server cannot bring about. Use 'auto' and send this tool alone."),
        _ => throw new EngineException(EngineError.InvalidRequest, $"tool_choice is '{choice}'; expected {Auto}, {None}, {Required} or the name of one of tools."),
    };

    /// <summary>The special tokens that answers must be decoded with.</summary>
    public IReadOnlySet<int> VisibleTokens(Tokenizer? tokenizer) => _form is null || tokenizer is null ? ImmutableHashSet<int>.Empty : _form.TokensOf(tokenizer);

    /// <summary>A reader of one answer.</summary>
    /// <param name="requestId">The request's id.</param>
    /// <param name="choice">Which of its answers.</param>
    public ChoiceReader CreateReader(string requestId, int choice) => new(_form?.CreateReader(_set, new ToolCallIds(requestId, choice)));
}

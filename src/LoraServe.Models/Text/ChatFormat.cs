using System.Collections.Immutable;
using LoraServe.Models.Text.ToolCalls;
using LoraServe.Templates;

namespace LoraServe.Models.Text;

/// <summary>Turns conversations into the text that a model was trained on, with its own chat templates.</summary>
/// <remarks>The text holds the special tokens that the template writes; tokenize it without adding more.</remarks>
public sealed class ChatFormat
{
    /// <summary>The roles that every conversation may have, whether or not the template tells them apart.</summary>
    private static readonly string[] s_usualRoles = ["system", "user", "assistant", "tool"];

    private readonly ImmutableSortedDictionary<string, ChatTemplate> _templates;
    private readonly ModelText _text;
    private readonly Lazy<ToolCallForm?> _toolCalls;

    private ChatFormat(ModelText text, ImmutableSortedDictionary<string, ChatTemplate> templates)
    {
        _text = text;
        _templates = templates;
        _toolCalls = new Lazy<ToolCallForm?>(FindToolCalls);
        Roles = [.. s_usualRoles.Union(templates.Values.SelectMany(template => template.Roles))];
    }

    /// <summary>The roles that a message can have: the usual ones, and those that the model's templates tell apart by name. With another, a model gets what it has never seen.</summary>
    public ImmutableArray<string> Roles { get; }

    /// <summary>How the model writes tool calls, which its template shows; null where the template knows no tools, or has calls written in a form that is not known.</summary>
    public ToolCallForm? ToolCalls => _toolCalls.Value;

    /// <summary>The model's format, or null where its files have no chat template.</summary>
    /// <exception cref="TemplateException">A template is not valid Jinja.</exception>
    public static ChatFormat? Of(ModelText text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Templates?.Sources is { } sources
            ? new ChatFormat(text, sources.ToImmutableSortedDictionary(pair => pair.Key, pair => ChatTemplate.Parse(pair.Value, sources.Count == 1 ? $"of {text.Name}" : $"'{pair.Key}' of {text.Name}")))
            : null;
    }

    /// <summary>The prompt for the assistant's next turn.</summary>
    /// <param name="messages">Values that templates understand: each message a dictionary or JSON object.</param>
    /// <param name="tools">Tools as the template expects them, or null.</param>
    /// <param name="variables">Further variables; they win over the ones above.</param>
    /// <exception cref="TemplateException">The template fails on these messages or refuses them.</exception>
    public string Render(IEnumerable<object> messages, object? tools = null, IReadOnlyDictionary<string, object?>? variables = null) =>
        Render(messages, tools, variables, asksForAnswer: true).Text;

    /// <summary>A conversation as it stands, with the parts that the template marks as the model's own.</summary>
    /// <inheritdoc cref="Render(IEnumerable{object}, object?, IReadOnlyDictionary{string, object?}?)"/>
    public RenderedChat Write(IEnumerable<object> messages, object? tools = null, IReadOnlyDictionary<string, object?>? variables = null) =>
        Render(messages, tools, variables, asksForAnswer: false);

    /// <summary>The template for a conversation: transformers' choice.</summary>
    /// <param name="templates">Templates by name.</param>
    /// <param name="hasTools">Whether it comes with tools.</param>
    /// <param name="name">What messages call the model.</param>
    /// <exception cref="TemplateException">There is none without a name that says when it is meant.</exception>
    public static T Choose<T>(IReadOnlyDictionary<string, T> templates, bool hasTools, string name)
    {
        ArgumentNullException.ThrowIfNull(templates);
        return hasTools && templates.TryGetValue(ChatTemplates.ToolUseName, out T? forTools) ? forTools
            : templates.TryGetValue(ChatTemplates.DefaultName, out T? usual) ? usual
            : throw new TemplateException(name, $"has the chat templates {string.Join(", ", templates.Keys)} and none called {ChatTemplates.DefaultName}. Call the one that is meant so.");
    }

    /// <summary>Whether the template for a conversation marks what the model's own part is.</summary>
    /// <param name="hasTools">Whether it comes with tools.</param>
    public bool MarksGeneration(bool hasTools) => Choose(_templates, hasTools, _text.Name).MarksGeneration;

    private ToolCallForm? FindToolCalls()
    {
        string name = _templates.ContainsKey(ChatTemplates.ToolUseName) ? ChatTemplates.ToolUseName : ChatTemplates.DefaultName;
        if (!_text.Templates!.Sources.TryGetValue(name, out string? source))
        {
            return null;
        }

        // There are templates that write no calls, but say how to.
        string? answer = WrittenAnswer(CallProbe.Question, CallProbe.Turn, CallProbe.Tools);
        return ToolCallForms.Find(
            source, answer?.Contains(CallProbe.Value, StringComparison.Ordinal) == true ? answer : null, CallProbe.Call, new ToolSet(CallProbe.Tools.EnumerateArray()), IsToken);

        bool IsToken(string token) => _text.Tokenizer?.TryGetId(token) is { } id && _text.Tokenizer.IsAdded(id);
    }

    /// <summary>What stands in a conversation where an answer would; null where the template fails on it.</summary>
    /// <param name="question">What is answered.</param>
    /// <param name="turn">The answer, with tool calls.</param>
    /// <param name="tools">The tools.</param>
    internal string? WrittenAnswer(object question, object turn, object tools)
    {
        try
        {
            string asked = Render([question], tools);
            string answered = Write([question, turn], tools).Text;
            int from = asked.AsSpan().CommonPrefixLength(answered);

            // Where a prompt begins the answer with a thought, both may begin with the same half of a tag.
            int tag = answered.AsSpan(0, from).LastIndexOfAny('<', '[');
            return answered[(tag >= 0 && !answered.AsSpan(tag, from - tag).ContainsAny('>', ']') ? tag : from)..];
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    private RenderedChat Render(IEnumerable<object> messages, object? tools, IReadOnlyDictionary<string, object?>? variables, bool asksForAnswer)
    {
        ChatTemplate template = Choose(_templates, tools is not null, _text.Name);
        object[] given = [.. messages];
        var all = new Dictionary<string, object?>
        {
            ["tools"] = tools,
            ["documents"] = null,
            ["add_generation_prompt"] = asksForAnswer,
            ["bos_token"] = _text.BeginTokenText,
            ["eos_token"] = _text.EndTokenText,
        };
        foreach ((string name, object? value) in variables ?? ImmutableDictionary<string, object?>.Empty)
        {
            all[name] = value;
        }

        if (!ToolCallArguments.Any(given))
        {
            all["messages"] = given;
            return template.RenderMarked(all);
        }

        // Arguments come as objects or as their JSON text; most templates want the one, some can only take the other.
        try
        {
            all["messages"] = ToolCallArguments.AsObjects(given);
            return template.RenderMarked(all);
        }
        catch (TemplateException exception) when (!exception.RaisedByTemplate)
        {
            try
            {
                all["messages"] = ToolCallArguments.AsText(given);
                return template.RenderMarked(all);
            }
            catch (TemplateException)
            {
                throw exception;
            }
        }
    }
}

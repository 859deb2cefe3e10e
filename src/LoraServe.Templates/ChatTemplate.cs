using System.Collections.Immutable;
using System.Text.Json;
using LoraServe.Templates.Parsing;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Statements;
using LoraServe.Templates.Values;

namespace LoraServe.Templates;

/// <summary>A chat template: a Jinja program that turns messages into the text a model was trained on.</summary>
/// <remarks>
/// The language is Jinja2 as the transformers library sets it up: an immutable sandbox, <c>trim_blocks</c>,
/// <c>lstrip_blocks</c>, loop controls, <c>generation</c> blocks, its own <c>tojson</c>, <c>raise_exception</c> and
/// <c>strftime_now</c>. Values print as in Python. Templates come with models and are not trusted: nesting, steps,
/// text and value sizes are bounded. A parsed template is immutable and may render on many threads at once.
/// </remarks>
public sealed class ChatTemplate
{
    private readonly TemplateSyntax _syntax;

    private ChatTemplate(string name, TemplateSyntax syntax, IEnumerable<string> roles, bool marksGeneration)
    {
        Name = name;
        MarksGeneration = marksGeneration;
        _syntax = syntax;
        Roles = [.. roles.Distinct()];
    }

    /// <summary>The name that error messages give the template, usually its file.</summary>
    public string Name { get; }

    /// <summary>The roles that the template tells apart by name, in the order in which it does; none where it writes every role as it is.</summary>
    public ImmutableArray<string> Roles { get; }

    /// <summary>Whether the template has <c>{% generation %}</c> blocks, which say what the model's own part is.</summary>
    public bool MarksGeneration { get; }

    /// <summary>Parses a template.</summary>
    /// <param name="source">The Jinja source.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <exception cref="TemplateException">The source is not valid Jinja.</exception>
    public static ChatTemplate Parse(string source, string name)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(name);
        try
        {
            List<Token> tokens = new Lexer(source).Read();
            var parser = new Parser(tokens);
            return new ChatTemplate(name, parser.Parse(), RoleNames.In(tokens), parser.MarksGeneration);
        }
        catch (SyntaxError error)
        {
            throw new TemplateException(
                $"Template {name}, line {error.Line}: {error.Message}", name, error.Line, raisedByTemplate: false, error);
        }
    }

    /// <summary>Renders a conversation.</summary>
    /// <param name="messages">The messages, oldest first.</param>
    /// <param name="options">Special tokens, tools and further variables.</param>
    /// <param name="clock">What <c>strftime_now</c> reads; the system's clock when null.</param>
    /// <exception cref="TemplateException">The template fails on these messages or refuses them.</exception>
    public string Render(IEnumerable<ChatMessage> messages, ChatTemplateOptions options, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(options);
        Dictionary<string, object?> variables = new()
        {
            ["messages"] = messages.Select(message => message.ToVariables()).ToList(),
            ["tools"] = options.Tools,
            ["documents"] = options.Documents,
            ["add_generation_prompt"] = options.AddGenerationPrompt,
            ["bos_token"] = options.BosToken,
            ["eos_token"] = options.EosToken,
        };
        foreach ((string key, object? value) in options.Extra ?? new Dictionary<string, object?>())
        {
            variables[key] = value;
        }

        return Render(variables, clock);
    }

    /// <summary>Renders with exactly the given variables.</summary>
    /// <param name="variables">
    /// Null, booleans, numbers, strings, <see cref="JsonElement"/>, and dictionaries and sequences of these.
    /// </param>
    /// <param name="clock">What <c>strftime_now</c> reads; the system's clock when null.</param>
    /// <exception cref="TemplateException">The template fails on these variables or refuses them.</exception>
    public string Render(IReadOnlyDictionary<string, object?> variables, TimeProvider? clock = null) => RenderMarked(variables, clock).Text;

    /// <summary>Renders with exactly the given variables, and says what of the text the template marks as the model's own.</summary>
    /// <inheritdoc cref="Render(IReadOnlyDictionary{string, object?}, TimeProvider?)"/>
    public RenderedChat RenderMarked(IReadOnlyDictionary<string, object?> variables, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(variables);
        RenderState state = new(_syntax.Names(), clock ?? TimeProvider.System);
        try
        {
            foreach ((string name, object? value) in variables)
            {
                state.Scope.Set(name, ValueConverter.Convert(value));
            }

            return new RenderedChat(state.Render(_syntax.Body), [.. state.Generated]);
        }
        catch (RaisedByTemplateError error)
        {
            throw new TemplateException(error.Message, Name, state.Line, raisedByTemplate: true, error);
        }
        catch (EvaluationError error)
        {
            throw Failure(error.Message, state.Line, error);
        }
        catch (InvalidOperationException sorting) when (sorting.InnerException is EvaluationError error)
        {
            // .NET's sort puts what comparing two values throws into an exception of its own.
            throw Failure(error.Message, state.Line, error);
        }
        catch (InsufficientExecutionStackException error)
        {
            throw Failure("the template nests too deeply", state.Line, error);
        }
    }

    /// <summary>Renders one line of a file of template cases.</summary>
    /// <param name="testCase">
    /// An object with <c>messages</c>, <c>tools</c>, <c>documents</c>, <c>add_generation_prompt</c>, <c>bos_token</c>,
    /// <c>eos_token</c> and <c>extra</c> (an object of further variables), or with <c>context</c> (an object with all
    /// the variables there are); and <c>now</c>, the ISO 8601 time that <c>strftime_now</c> shows.
    /// </param>
    /// <exception cref="TemplateException">The template fails on the case or refuses it, or the case is malformed.</exception>
    public string RenderCase(JsonElement testCase)
    {
        if (testCase.ValueKind != JsonValueKind.Object)
        {
            throw Failure($"a template case must be a JSON object, not {testCase.ValueKind}", 1, null);
        }

        Dictionary<string, object?> variables = [];
        if (testCase.TryGetProperty("context", out JsonElement context))
        {
            AddAll(variables, context, "context");
        }
        else
        {
            foreach (string name in (ReadOnlySpan<string>)["messages", "tools", "documents", "bos_token", "eos_token"])
            {
                variables[name] = testCase.TryGetProperty(name, out JsonElement value) ? value : null;
            }

            variables["add_generation_prompt"] =
                testCase.TryGetProperty("add_generation_prompt", out JsonElement prompt) ? prompt : false;
            if (testCase.TryGetProperty("extra", out JsonElement extra) && extra.ValueKind != JsonValueKind.Null)
            {
                AddAll(variables, extra, "extra");
            }
        }

        TimeProvider? clock = null;
        if (testCase.TryGetProperty("now", out JsonElement now) && now.ValueKind != JsonValueKind.Null)
        {
            clock = now.ValueKind == JsonValueKind.String && now.TryGetDateTime(out DateTime time)
                ? new FrozenClock(time)
                : throw Failure($"now must be an ISO 8601 date and time, not {now.GetRawText()}", 1, null);
        }

        return Render(variables, clock);
    }

    private void AddAll(Dictionary<string, object?> variables, JsonElement fields, string name)
    {
        if (fields.ValueKind != JsonValueKind.Object)
        {
            throw Failure($"{name} must be a JSON object, not {fields.ValueKind}", 1, null);
        }

        foreach (JsonProperty field in fields.EnumerateObject())
        {
            variables[field.Name] = field.Value;
        }
    }

    private TemplateException Failure(string message, int line, Exception? inner) =>
        new($"Template {Name}, line {line}: {message}", Name, line, raisedByTemplate: false, inner);
}

using System.Collections.Immutable;
using LoraServe.Models.Config;
using LoraServe.Templates;

namespace LoraServe.Models;

/// <summary>Turns conversations into the text that a model was trained on, with its own chat template.</summary>
/// <remarks>The text holds the special tokens that the template writes; tokenize it without adding more.</remarks>
public sealed class ChatFormat
{
    /// <summary>The roles that every conversation may have, whether or not the template tells them apart.</summary>
    private static readonly string[] s_usualRoles = ["system", "user", "assistant", "tool"];

    private readonly ChatTemplate _template;
    private readonly GenerationDefaults _defaults;

    private ChatFormat(ChatTemplate template, GenerationDefaults defaults)
    {
        _template = template;
        _defaults = defaults;
        Roles = [.. s_usualRoles.Union(template.Roles)];
    }

    /// <summary>The roles that a message can have: the usual ones, and those that the model's template tells apart by name. With another, a model gets what it has never seen.</summary>
    public ImmutableArray<string> Roles { get; }

    /// <summary>The model's format, or null where its files have no chat template.</summary>
    /// <exception cref="TemplateException">The template is not valid Jinja.</exception>
    public static ChatFormat? Of(LoadedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.ChatTemplateSource is { } source
            ? new ChatFormat(ChatTemplate.Parse(source, $"of {model.Name}"), model.Generation)
            : null;
    }

    /// <summary>The prompt for the assistant's next turn.</summary>
    /// <param name="messages">Values that templates understand: each message a dictionary or JSON object.</param>
    /// <param name="tools">Tools as the template expects them, or null.</param>
    /// <param name="variables">Further variables; they win over the ones above.</param>
    /// <exception cref="TemplateException">The template fails on these messages or refuses them.</exception>
    public string Render(object messages, object? tools = null, IReadOnlyDictionary<string, object?>? variables = null)
    {
        var all = new Dictionary<string, object?>
        {
            ["messages"] = messages,
            ["tools"] = tools,
            ["documents"] = null,
            ["add_generation_prompt"] = true,
            ["bos_token"] = _defaults.BeginTokenText,
            ["eos_token"] = _defaults.EndTokenText,
        };
        foreach ((string name, object? value) in variables ?? new Dictionary<string, object?>())
        {
            all[name] = value;
        }

        return _template.Render(all);
    }
}

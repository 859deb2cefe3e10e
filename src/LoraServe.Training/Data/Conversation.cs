using System.Text.Json;

namespace LoraServe.Training.Data;

/// <summary>A conversation of which assistant turns are learnt.</summary>
/// <param name="Messages">The turns as chat templates take them: objects whose <c>role</c> is a string.</param>
/// <param name="Learnt">For each turn whether it is learnt; an assistant's alone can be.</param>
internal sealed record Conversation(IReadOnlyList<JsonElement> Messages, IReadOnlyList<bool> Learnt)
{
    /// <summary>What the row calls the turns.</summary>
    public string Field { get; init; } = "messages";

    /// <summary>The tools that the assistant can call, an array, or null.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Further variables of the chat template.</summary>
    public IReadOnlyDictionary<string, object?> Variables { get; init; } = new Dictionary<string, object?>();

    /// <summary>The conversation up to a turn, which comes first of what follows.</summary>
    public IEnumerable<object> Before(int turn) => Messages.Take(turn).Cast<object>();
}

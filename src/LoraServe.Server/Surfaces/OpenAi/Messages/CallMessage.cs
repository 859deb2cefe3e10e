using System.Text.Json.Serialization;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>A call of a tool, or, in a stream, what is added to one.</summary>
/// <param name="Index">Which of the answer's calls, in a stream; null in a whole answer.</param>
/// <param name="Id">Its id; null where it was sent before.</param>
/// <param name="Type">What a tool is; null where it was sent before.</param>
/// <param name="Function">What is called.</param>
internal sealed record CallMessage(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Index,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Id,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Type,
    CalledFunction Function)
{
    /// <summary>The only type that tools have here.</summary>
    public const string FunctionType = "function";
}

/// <summary>What is called, and with what.</summary>
/// <param name="Name">The tool's name; null where it was sent before.</param>
/// <param name="Arguments">The JSON text of an object, or a part of it.</param>
internal sealed record CalledFunction([property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name, string Arguments);

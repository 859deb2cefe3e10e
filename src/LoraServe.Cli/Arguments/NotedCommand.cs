using System.CommandLine;

namespace LoraServe.Cli.Arguments;

/// <summary>A verb with more to say than fits into the list of verbs; its own <c>--help</c> ends with it.</summary>
internal sealed class NotedCommand(string name, string description, string notes) : Command(name, description)
{
    /// <summary>Lines below the options.</summary>
    public string Notes { get; } = notes;
}

using System.CommandLine;

namespace LoraServe.Cli.Arguments;

/// <summary>The option of every verb that puts conversations through a chat template.</summary>
internal static class TemplateArguments
{
    public static Option<bool> Create() => new("--base-template") { Description = "Keep the base's chat template where an adapter brings its own." };
}

using System.Text.Json;
using LoraServe.Cli.Mistakes;
using LoraServe.Models.Text;

namespace LoraServe.Cli.Verbs;

/// <summary>Tools that a file offers a model.</summary>
internal static class ToolFile
{
    /// <param name="path">The file.</param>
    /// <param name="format">How the model is told of them; null where it is told nothing.</param>
    /// <exception cref="UsageException">There is no conversation that they belong to.</exception>
    /// <exception cref="CommandException">The file is no JSON array.</exception>
    public static JsonElement Read(string path, ChatFormat? format)
    {
        if (format is null)
        {
            throw new UsageException("--tools is for conversations; give --chat too.");
        }

        try
        {
            JsonElement tools = JsonElement.Parse(File.ReadAllBytes(path));
            return tools.ValueKind == JsonValueKind.Array ? tools : throw new CommandException($"{path} holds {tools.ValueKind}; expected an array of tools.");
        }
        catch (JsonException exception)
        {
            throw new CommandException($"{path} is no JSON: {exception.Message}");
        }
    }
}

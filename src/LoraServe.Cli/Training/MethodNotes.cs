using System.Text;
using LoraServe.Training.Methods;

namespace LoraServe.Cli.Training;

/// <summary>The methods as <c>loraserve train --help</c> lists them, by kind.</summary>
internal static class MethodNotes
{
    private static readonly (string Kind, string[] Names)[] s_kinds =
    [
        ("low-rank updates of linear maps", ["lora", "loraplus", "rslora", "dora", "pissa", "olora", "gated", "qlora", "adalora"]),
        ("other products and few numbers", ["vera", "loha", "lokr", "vblora", "randlora", "miss", "shira", "fourierft"]),
        ("rotations and reflections of inputs", ["oft", "boft", "hra"]),
        ("factors, biases and norms", ["ia3", "bitfit", "ln"]),
        ("bottlenecks", ["houlsby", "pfeiffer", "parallel"]),
        ("rows ahead of the prompt", ["prompt", "p-tuning", "prefix", "prefix-projection"]),
        ("the whole model", ["full"]),
    ];

    public static string Text()
    {
        var text = new StringBuilder("Methods, several of them with commas between:\n");
        foreach ((string kind, string[] names) in s_kinds)
        {
            text.Append($"  {kind}\n");
            foreach (TrainingMethod method in names.Select(name => MethodCatalog.All.Single(method => method.Name == name)))
            {
                text.Append($"    {method.Name,-18}{method.Description}\n");
            }
        }

        return text.ToString();
    }
}

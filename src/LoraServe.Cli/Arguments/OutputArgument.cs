using System.CommandLine;
using LoraServe.Cli.Mistakes;

namespace LoraServe.Cli.Arguments;

/// <summary><c>--out</c> and <c>--overwrite</c>: where a verb writes, without replacing anything unseen.</summary>
/// <param name="description">What is written.</param>
/// <param name="helpName">DIR or PATH.</param>
internal sealed class OutputArgument(string description, string helpName)
{
    // What the verbs write, and what others may have written under the same names.
    private static readonly string[] s_written = ["config.json", "adapter_config.json", "tokenizer.json", "tokenizer_config.json", "*.safetensors", "*.safetensors.index.json", "*.gguf"];

    private readonly Option<string> _path = new("--out") { Description = description, Required = true, HelpName = helpName };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace what --out has. Without it a model or an adapter that is there is refused." };

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command verb)
    {
        verb.Add(_path);
        verb.Add(_overwrite);
    }

    /// <summary>The path.</summary>
    /// <exception cref="UsageException">A model or an adapter is there, and nobody said to replace it.</exception>
    public string Read(ParseResult arguments)
    {
        string path = arguments.GetValue(_path)!;
        string? there = arguments.GetValue(_overwrite) ? null
            : File.Exists(path) && new FileInfo(path).Length > 0 ? path
            : Directory.Exists(path) ? s_written.SelectMany(pattern => Directory.EnumerateFiles(path, pattern)).FirstOrDefault()
            : null;
        return there is null ? path : throw new UsageException($"--out: {there} is there already. Name another path, or replace what is there with --overwrite.");
    }
}

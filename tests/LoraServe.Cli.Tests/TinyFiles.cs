using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Testing;

namespace LoraServe.Cli.Tests;

/// <summary>A tiny model with a tokenizer of single bytes and a chat template, and adapters for it, in a temporary folder.</summary>
public sealed class TinyFiles : IDisposable
{
    private const int Bytes = 256;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loraserve-cli-");

    /// <summary>Writes the model.</summary>
    public TinyFiles()
    {
        Model = Path.Combine(_folder.FullName, "model");
        Directory.CreateDirectory(Model);
        foreach (string file in Directory.GetFiles(Repository.Fixture("models/llama-tied"), "*.json").Append(Repository.Fixture("models/llama-tied/model.safetensors")))
        {
            File.Copy(file, Path.Combine(Model, Path.GetFileName(file)));
        }

        File.WriteAllText(Path.Combine(Model, "tokenizer.json"), Tokenizer());
        File.WriteAllText(Path.Combine(Model, "chat_template.jinja"), "{% for message in messages %}[{{ message.role }}]{{ message.content }}{% endfor %}");
    }

    /// <summary>The model's directory.</summary>
    public string Model { get; }

    /// <summary>A path in the temporary folder.</summary>
    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Writes a text file.</summary>
    public string Write(string name, string content)
    {
        File.WriteAllText(PathOf(name), content);
        return PathOf(name);
    }

    /// <summary>Writes a LoRA adapter of q_proj and v_proj.</summary>
    public string Adapter(string name, int seed, int rank = 2, float scale = 1)
    {
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, Model);
        var random = new Random(seed);
        LowRank[] pairs =
        [
            .. model.Transformer.Modules.Where(module => module.Site.Role is SiteRole.Query or SiteRole.Value)
                .Select(module => new LowRank(module.Site, Random(random, rank, module.Inputs), Random(random, module.Outputs, rank), scale)),
        ];
        PeftWriter.Write(PathOf(name), pairs, model.Transformer);
        return PathOf(name);
    }

    /// <inheritdoc />
    public void Dispose() => _folder.Delete(recursive: true);

    private static FloatMatrix Random(Random random, int rows, int columns) =>
        new(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => (random.NextSingle() * 2) - 1)]);

    /// <summary>Byte-level tokens without merges, in GPT-2's spelling of bytes.</summary>
    private static string Tokenizer()
    {
        var vocabulary = new Dictionary<string, int>();
        int unprintable = 0;
        for (int value = 0; value < Bytes; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            vocabulary[((char)(printable ? value : Bytes + unprintable++)).ToString()] = value;
        }

        return JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["version"] = "1.0",
            ["added_tokens"] = Array.Empty<object>(),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new Dictionary<string, object> { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true },
            ["post_processor"] = null,
            ["decoder"] = new Dictionary<string, object> { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true, ["use_regex"] = true },
            ["model"] = new Dictionary<string, object?> { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = Array.Empty<string>() },
        });
    }
}

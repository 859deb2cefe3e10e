using LoraServe.Compute;
using LoraServe.Models.Config;
using LoraServe.Models.Text;
using LoraServe.Tokenization;

namespace LoraServe.Models;

/// <summary>A model with everything that its files say. Owns the transformer.</summary>
public sealed class LoadedModel : IDisposable
{
    internal LoadedModel(string name, Transformer transformer, ModelText text, GenerationDefaults generation, IReadOnlyList<string>? warnings = null)
    {
        Name = name;
        Transformer = transformer;
        Text = text;
        Generation = generation;
        Warnings = warnings ?? [];
    }

    /// <summary>The name in the file, or the directory's.</summary>
    public string Name { get; }

    /// <summary>Shape and weights.</summary>
    public Transformer Transformer { get; }

    /// <summary>Tokenizer and chat templates.</summary>
    public ModelText Text { get; }

    /// <summary>The tokenizer, or null where the files have none.</summary>
    public Tokenizer? Tokenizer => Text.Tokenizer;

    /// <summary>Begin and end tokens.</summary>
    public GenerationDefaults Generation { get; }

    /// <summary>What is wrong with the files and was left out, or contradicts itself and was decided: a sentence each, with the file's name.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The same model in the same memory, computing in <paramref name="arithmetic"/>; see <see cref="Models.Transformer.ComputingIn"/>.</summary>
    public LoadedModel In(Arithmetic arithmetic) => new(Name, Transformer.ComputingIn(arithmetic), Text, Generation, Warnings);

    /// <inheritdoc />
    public void Dispose() => Transformer.Dispose();
}

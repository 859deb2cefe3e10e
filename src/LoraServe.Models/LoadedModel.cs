using LoraServe.Compute;
using LoraServe.Models.Config;
using LoraServe.Tokenization;

namespace LoraServe.Models;

/// <summary>A model with everything that its files say. Owns the transformer.</summary>
public sealed class LoadedModel : IDisposable
{
    internal LoadedModel(string name, Transformer transformer, Tokenizer? tokenizer, GenerationDefaults generation, string? chatTemplateSource)
    {
        Name = name;
        Transformer = transformer;
        Tokenizer = tokenizer;
        Generation = generation;
        ChatTemplateSource = chatTemplateSource;
    }

    /// <summary>The name in the file, or the directory's.</summary>
    public string Name { get; }

    /// <summary>Shape and weights.</summary>
    public Transformer Transformer { get; }

    /// <summary>The tokenizer, or null where the files have none.</summary>
    public Tokenizer? Tokenizer { get; }

    /// <summary>Begin and end tokens.</summary>
    public GenerationDefaults Generation { get; }

    /// <summary>The chat template in Jinja, or null where the files have none.</summary>
    public string? ChatTemplateSource { get; }

    /// <summary>The same model in the same memory, computing in <paramref name="arithmetic"/>; see <see cref="Models.Transformer.ComputingIn"/>.</summary>
    public LoadedModel In(Arithmetic arithmetic) => new(Name, Transformer.ComputingIn(arithmetic), Tokenizer, Generation, ChatTemplateSource);

    /// <inheritdoc />
    public void Dispose() => Transformer.Dispose();
}

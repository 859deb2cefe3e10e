using LoraServe.Compute.Tensors;
using LoraServe.Models.Architectures;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;
using LoraServe.Models.Text;

namespace LoraServe.Models.Loading;

/// <summary>A model's open files, read but for the weights: what a GGUF file and a Hugging Face directory have in common.</summary>
internal sealed record ModelSource(string Path, string Name, Architecture Architecture, TransformerSpec Spec, IDisposable Files)
{
    /// <summary>What the files call the parameters.</summary>
    public required ParameterNames Names { get; init; }

    /// <summary>Finds a tensor by name; null where there is none.</summary>
    public required Func<string, Tensor?> FindTensor { get; init; }

    /// <summary>Names of stored tensors that were not found by name so far.</summary>
    public Func<IEnumerable<string>> Unasked { get; init; } = () => [];

    /// <summary>Whether tensors lie as GGUF files have them, not as Hugging Face's do.</summary>
    public bool IsGguf { get; init; }

    /// <summary>Tokenizer and chat templates.</summary>
    public required ModelText Text { get; init; }

    /// <summary>Begin and end tokens.</summary>
    public GenerationDefaults Generation { get; init; } = new();

    /// <summary>What is wrong with the files and was left out, or contradicts itself and was decided: a sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

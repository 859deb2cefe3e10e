using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters;

/// <summary>A linear map, the head or the token table of a base model.</summary>
/// <param name="Path">Hugging Face's module path, such as <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="Site">Where in the model that is.</param>
/// <param name="Outputs">Rows of the weight; of the table: tokens.</param>
/// <param name="Inputs">Columns of the weight; of the table: the model's width.</param>
/// <param name="HasBias">Whether the base adds a bias.</param>
public sealed record BaseModule(string Path, Site Site, int Outputs, int Inputs, bool HasBias)
{
    /// <summary>Whether Hugging Face's files hold the weight as [inputs, outputs], as they do for GPT-2's <c>Conv1D</c>.</summary>
    public bool IsTransposed { get; init; }

    /// <summary>The last part of the path, such as <c>q_proj</c>.</summary>
    public string Name => Path[(Path.LastIndexOf('.') + 1)..];
}

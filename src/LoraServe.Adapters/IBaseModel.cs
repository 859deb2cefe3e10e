using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters;

/// <summary>What loading an adapter must know about the frozen base model.</summary>
public interface IBaseModel
{
    /// <summary>What kind of model it is: Hugging Face's <c>model_type</c>, such as <c>llama</c>.</summary>
    string Architecture { get; }

    /// <summary>What GGUF files call the same.</summary>
    string GgufArchitecture => Architecture;

    /// <summary>Hugging Face's class of it, such as <c>LlamaForCausalLM</c>; null where that is not known.</summary>
    string? ModelClass { get; }

    /// <summary>Every linear map, the head (also where it is tied) and the token table.</summary>
    IReadOnlyList<BaseModule> Modules { get; }

    /// <summary>Every norm.</summary>
    IReadOnlyList<BaseNorm> Norms { get; }

    /// <summary>Number of layers.</summary>
    int LayerCount { get; }

    /// <summary>Elements in a row of the residual stream.</summary>
    int Width { get; }

    /// <summary>Elements of a row of keys, or of values: as many heads as there are for them, one after another.</summary>
    int KeyWidth { get; }

    /// <summary>Elements in an attention head: the block in which GGUF files of the llama architecture interleave the rows of query and key.</summary>
    int HeadSize { get; }

    /// <summary>Number of tokens, which is the number of rows of the table.</summary>
    int VocabularySize { get; }

    /// <summary>Whether the head is the token table.</summary>
    bool TiedHead { get; }

    /// <summary>What tells this base from another of the same shape.</summary>
    string Fingerprint { get; }

    /// <summary>Copies one dequantised row of a weight, [outputs, inputs] in Hugging Face's row order; of the table for a tied head.</summary>
    /// <param name="site">The weight.</param>
    /// <param name="row">Output (of the table: token).</param>
    /// <param name="destination">As many floats as the module has inputs.</param>
    void CopyWeightRow(Site site, int row, Span<float> destination);

    /// <summary>y[t, :] = W·x[t] in float32, without the bias, whatever arithmetic the base is served in.</summary>
    /// <param name="site">The linear map.</param>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="y">[rows, outputs].</param>
    void Multiply(Site site, FloatMatrix x, FloatMatrix y)
    {
        float[] weights = new float[x.Columns];
        for (int output = 0; output < y.Columns; output++)
        {
            CopyWeightRow(site, output, weights);
            for (int row = 0; row < x.Rows; row++)
            {
                y.Row(row)[output] = TensorPrimitives.Dot(x.Row(row), weights);
            }
        }
    }

    /// <summary>Copies a linear map's bias, zeros where it has none.</summary>
    /// <param name="site">The linear map.</param>
    /// <param name="destination">As many floats as the module has outputs.</param>
    void CopyBias(Site site, Span<float> destination);

    /// <summary>Copies a norm's gains as Hugging Face's files have them (of some architectures less one), then its biases where it has them.</summary>
    /// <param name="site">The norm.</param>
    /// <param name="destination">As many floats as <see cref="BaseNorm.ParameterCount"/>.</param>
    void CopyNorm(NormSite site, Span<float> destination);
}

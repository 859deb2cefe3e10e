using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Training.Autograd;

namespace LoraServe.Training.Methods;

/// <summary>P-tuning (Liu et al. 2021, arXiv:2103.10385): an encoder makes the embeddings ahead of the prompt. What it makes is saved; it is not.</summary>
internal sealed class TrainablePTuning : TrainableAdapter
{
    private readonly Parameter _embedding;
    private readonly PromptEncoder _encoder;

    /// <summary>An encoder of the configuration's shape, first values as PyTorch draws them.</summary>
    public TrainablePTuning(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        int count = ConfigNumber(config, "num_virtual_tokens");
        int hidden = ConfigNumber(config, "encoder_hidden_size");
        if (config["encoder_reparameterization_type"]?.GetValue<string>() is "LSTM")
        {
            throw new AdapterFormatException("encoder_reparameterization_type is LSTM; encoders of type MLP can be trained.");
        }

        _embedding = Add("prompt_encoder.embedding.weight", [count, model.Width], Initialization.Normal(checked(count * model.Width), 1, options.Seed));
        _encoder = new PromptEncoder(
            usesTanh: false,
            AddLayer("prompt_encoder.mlp_head.0", hidden, model.Width, options.Seed + 1),
            AddLayer("prompt_encoder.mlp_head.2", hidden, hidden, options.Seed + 2),
            AddLayer("prompt_encoder.mlp_head.4", model.Width, hidden, options.Seed + 3));
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [new VirtualTokens(Rows())];

    internal override void Pull(EditGradients gradients)
    {
        float[] d = _encoder.Backward(gradients.VirtualEmbeddings!.Values);
        System.Numerics.Tensors.TensorPrimitives.Add(_embedding.Gradient, d, _embedding.Gradient);
    }

    internal override IEnumerable<Parameter> Saved() => [new Parameter("prompt_embeddings", [.. _embedding.Shape], Rows().Values)];

    private FloatMatrix Rows() => new(_embedding.Shape[0], Model.Width, _encoder.Forward(_embedding.Values));
}

using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.PTuning;

/// <summary>P-tuning (Liu et al. 2021, arXiv:2103.10385): an encoder makes the embeddings ahead of the prompt. What it makes is saved; it is not.</summary>
internal sealed class TrainablePTuning : TrainableAdapter
{
    private readonly Parameter _embedding;
    private readonly List<BidirectionalLayer> _recurrent = [];
    private readonly PromptEncoder _encoder;

    /// <summary>An encoder of the configuration's shape, first values as PyTorch draws them.</summary>
    public TrainablePTuning(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        int count = ConfigNumber(config, "num_virtual_tokens");
        int hidden = ConfigNumber(config, "encoder_hidden_size");
        _embedding = Add("prompt_encoder.embedding.weight", [count, model.Width], Initialization.Normal(checked(count * model.Width), 1, options.Seed));
        if (PeftConfig.Fields(config).Text("encoder_reparameterization_type") == "LSTM")
        {
            int layers = PeftConfig.Fields(config).Integer("encoder_num_layers", 1) ?? 1;
            for (int layer = 0; layer < layers; layer++)
            {
                int inputs = layer == 0 ? model.Width : 2 * hidden;
                int seed = options.Seed + 10 + (10 * layer);
                _recurrent.Add(new BidirectionalLayer(
                    AddRecurrent($"l{layer}", inputs, hidden, seed, isReversed: false), AddRecurrent($"l{layer}_reverse", inputs, hidden, seed + 4, isReversed: true)));
            }

            _encoder = new PromptEncoder(
                usesTanh: false,
                AddLayer("prompt_encoder.mlp_head.0", 2 * hidden, 2 * hidden, options.Seed + 1),
                AddLayer("prompt_encoder.mlp_head.2", model.Width, 2 * hidden, options.Seed + 2));
            return;
        }

        _encoder = new PromptEncoder(
            usesTanh: false,
            AddLayer("prompt_encoder.mlp_head.0", hidden, model.Width, options.Seed + 1),
            AddLayer("prompt_encoder.mlp_head.2", hidden, hidden, options.Seed + 2),
            AddLayer("prompt_encoder.mlp_head.4", model.Width, hidden, options.Seed + 3));
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [new VirtualTokens(Rows())];

    public override void Pull(EditGradients gradients)
    {
        float[] d = _encoder.Backward(gradients.VirtualEmbeddings!.Values);
        for (int i = _recurrent.Count - 1; i >= 0; i--)
        {
            d = _recurrent[i].Backward(d);
        }

        TensorPrimitives.Add(_embedding.Gradient, d, _embedding.Gradient);
    }

    internal override IEnumerable<Parameter> Saved() => [new Parameter("prompt_embeddings", [.. _embedding.Shape], Rows().Values)];

    private FloatMatrix Rows()
    {
        float[] x = _recurrent.Aggregate(_embedding.Values, (rows, layer) => layer.Forward(rows));
        return new FloatMatrix(_embedding.Shape[0], Model.Width, _encoder.Forward(x));
    }

    private RecurrentLayer AddRecurrent(string suffix, int inputs, int hidden, int seed, bool isReversed)
    {
        float bound = 1 / MathF.Sqrt(hidden);
        return new RecurrentLayer(
            AddUniform("weight_ih", 4 * hidden, inputs),
            AddUniform("weight_hh", 4 * hidden, hidden),
            AddUniform("bias_ih", 4 * hidden),
            AddUniform("bias_hh", 4 * hidden),
            isReversed);

        Parameter AddUniform(string name, params int[] shape) => Add(
            $"prompt_encoder.lstm_head.{name}_{suffix}", shape, Initialization.Uniform(shape.Aggregate(1, (product, length) => checked(product * length)), bound, seed++));
    }
}

using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Prefix;

/// <summary>Prefix tuning (Li and Liang 2021, arXiv:2101.00190), also called P-tuning v2: keys and values ahead of the prompt in every layer.</summary>
/// <remarks>
/// With a projection a small network makes them from one embedding a row while they are trained; what it makes is saved. Of a cartridge
/// (Eyuboglu et al. 2025, arXiv:2506.06266) the first rows are not trained.
/// </remarks>
internal sealed class TrainablePrefix : TrainableAdapter
{
    // Values as large as PEFT's first ones, of deviation 1, drown what attention reads and are slow to unlearn.
    private const float Deviation = 0.02f;
    private const string Name = "prompt_embeddings";
    private readonly float[] _frozen = [];
    private readonly Parameter _rows;
    private readonly PromptEncoder? _projection;
    private readonly int _width;

    /// <summary>A prefix of the configuration's length.</summary>
    public TrainablePrefix(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        int count = ConfigNumber(config, "num_virtual_tokens");
        _width = model.KeyWidth;
        int all = checked(model.LayerCount * 2 * _width);
        if (config["prefix_projection"]?.GetValue<bool>() != true)
        {
            ConfigFields fields = PeftConfig.Fields(config);
            int frozen = PeftConfig.Type(fields) == PrefixMethod.Cartridge.Type ? PrefixReader.FrozenTokens(fields) : 0;
            if (frozen == count)
            {
                throw new AdapterFormatException($"num_frozen_tokens is {frozen}, all of num_virtual_tokens; expected fewer, so that some are trained.");
            }

            float[] values = Initialization.Normal(checked(count * all), Deviation, options.Seed);
            _frozen = values[..(frozen * all)];
            _rows = Add(Name, [count - frozen, all], values[(frozen * all)..]);
            return;
        }

        int tokenWidth = ConfigNumber(config, "token_dim");
        int hidden = ConfigNumber(config, "encoder_hidden_size");
        _rows = Add("prompt_encoder.embedding.weight", [count, tokenWidth], Initialization.Normal(checked(count * tokenWidth), 1, options.Seed));
        _projection = new PromptEncoder(
            usesTanh: true,
            AddLayer("prompt_encoder.transform.0", hidden, tokenWidth, options.Seed + 1),
            AddLayer("prompt_encoder.transform.2", all, hidden, options.Seed + 2));
    }

    private int RowLength => Model.LayerCount * 2 * _width;

    private int Count => _rows.Shape[0] + (_frozen.Length / RowLength);

    public override IReadOnlyDictionary<string, float[]> State => _frozen.Length > 0 ? new Dictionary<string, float[]> { ["frozen rows"] = _frozen } : base.State;

    public override IReadOnlyList<AdapterEdit> Edits()
    {
        float[] rows = Rows();
        return [.. Enumerable.Range(0, Model.LayerCount).Select(layer => new PrefixKeyValue(layer, Part(rows, 2 * layer), Part(rows, (2 * layer) + 1)))];
    }

    public override void Pull(EditGradients gradients)
    {
        float[] d = new float[Count * RowLength];
        for (int layer = 0; layer < Model.LayerCount; layer++)
        {
            if (gradients.PrefixAt(layer) is { } prefix)
            {
                PutPart(prefix.Keys.Values, d, 2 * layer);
                PutPart(prefix.Values.Values, d, (2 * layer) + 1);
            }
        }

        d = _projection is null ? d : _projection.Backward(d);
        TensorPrimitives.Add(_rows.Gradient, d.AsSpan(_frozen.Length), _rows.Gradient);
    }

    internal override IEnumerable<Parameter> Saved() =>
        _projection is null && _frozen.Length == 0 ? Parameters : [new Parameter(Name, [Count, RowLength], Rows())];

    private protected override void Load(ConfigFields source, AdapterTensors tensors)
    {
        if (_frozen.Length == 0)
        {
            base.Load(source, tensors);
            return;
        }

        float[] rows = tensors.Values(Name, "what is trained and what is not", Count, RowLength);
        rows.AsSpan(0, _frozen.Length).CopyTo(_frozen);
        rows.AsSpan(_frozen.Length).CopyTo(_rows.Values);
    }

    private float[] Rows() => _projection is not null ? _projection.Forward(_rows.Values) : _frozen.Length == 0 ? _rows.Values : [.. _frozen, .. _rows.Values];

    /// <summary>Keys or values of one layer: rows are ordered by layer, key or value, head, element.</summary>
    private FloatMatrix Part(float[] rows, int part)
    {
        var matrix = new FloatMatrix(Count, _width);
        for (int row = 0; row < Count; row++)
        {
            rows.AsSpan((row * RowLength) + (part * _width), _width).CopyTo(matrix.Row(row));
        }

        return matrix;
    }

    private void PutPart(float[] values, float[] rows, int part)
    {
        for (int row = 0; row < Count; row++)
        {
            values.AsSpan(row * _width, _width).CopyTo(rows.AsSpan((row * RowLength) + (part * _width), _width));
        }
    }
}

using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Bottlenecks;

/// <summary>Bottleneck adapters (Houlsby et al. 2019, Pfeiffer et al. 2020, parallel: He et al. 2021; Compacter: Mahabadi et al. 2021) as AdapterHub stores them.</summary>
internal sealed class BottleneckReader
{
    private readonly BottleneckConfig _config;
    private readonly AdapterTensors _tensors;
    private readonly IBaseModel _model;
    private readonly float[]? _sharedRule;

    private BottleneckReader(BottleneckConfig config, AdapterTensors tensors, IBaseModel model)
    {
        (_config, _tensors, _model) = (config, tensors, model);
        if (config.Phm is { SharesRule: true, Terms: var terms })
        {
            _sharedRule = tensors.Values($"model.shared_parameters.{config.Name}.phm_rule", $"phm_dim is {terms}", terms, terms, terms);
        }
    }

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        var reader = new BottleneckReader(BottleneckConfig.Read(fields), tensors, model);
        PlacedEdit[] placed = [.. reader.ReadLayers()];
        tensors.RefuseWhatIsLeft();
        return placed.Length > 0
            ? new AdapterContent("bottleneck") { Placed = placed }
            : throw new AdapterFormatException($"{fields.File}: mh_adapter, output_adapter and leave_out leave no bottleneck. Save the adapter again.");
    }

    private IEnumerable<PlacedEdit> ReadLayers()
    {
        foreach (BaseModule module in _model.Modules.Where(module => module.Site.Role == SiteRole.Output))
        {
            foreach (BottleneckPlace place in Enum.GetValues<BottleneckPlace>())
            {
                if (_config.Has(module.Site.Layer, place))
                {
                    yield return Place(module, place);
                }
            }
        }
    }

    /// <summary>What the names of a bottleneck's tensors begin with, but for the adapter's own name.</summary>
    /// <param name="output">The layer's output projection: model.layers.0.self_attn.o_proj is in layer model.layers.0.</param>
    /// <param name="place">After which sublayer.</param>
    public static string PathOf(BaseModule output, BottleneckPlace place) =>
        $"{output.Path[..output.Path.LastIndexOf('.', output.Path.LastIndexOf('.') - 1)]}.{KindOf(place)}";

    private static string KindOf(BottleneckPlace place) => place == BottleneckPlace.Attention ? "attention_adapters" : "output_adapters";

    private PlacedEdit Place(BaseModule output, BottleneckPlace place)
    {
        int layer = output.Site.Layer;
        string path = $"{PathOf(output, place)}.adapters.{_config.Name}";
        int width = _model.Width;
        int size = _config.Size(layer, width);
        string because = $"width {width} in the base, reduction_factor gives {size}";
        Bottleneck edit = new(
            layer,
            place,
            _config.Input,
            Projection($"{path}.adapter_down.0", size, width, because),
            Bias($"{path}.adapter_down.0", size, because),
            _config.Activation,
            Projection($"{path}.adapter_up", width, size, because),
            Bias($"{path}.adapter_up", width, because),
            _config.Scale is { } scale ? [scale] : _tensors.Vector($"{path}.scaling", _config.ScalesChannels ? width : 1, "field 'scaling' in the configuration"),
            _config.HasNorm
                ? new BottleneckNorm(_tensors.Vector($"{path}.adapter_norm_after.weight", width, because), _tensors.Vector($"{path}.adapter_norm_after.bias", width, because), _config.NormCoversSublayer)
                : null);
        double norm = LowRankNorm.Of(new LowRank(default, edit.Down, Scaled(edit), 1));
        return new PlacedEdit(edit, PathOf(output, place), KindOf(place), norm, HasEffect(edit));
    }

    private FloatMatrix Projection(string path, int outputs, int inputs, string because)
    {
        if (_config.Phm is not { } phm)
        {
            return _tensors.Matrix($"{path}.weight", outputs, inputs, because);
        }

        int terms = phm.Terms;
        if (outputs % terms != 0 || inputs % terms != 0)
        {
            throw new AdapterFormatException($"{_tensors.File}: '{path}' is to be [{outputs}, {inputs}] in {terms} Kronecker products; expected both to be multiples of that (phm_dim).");
        }

        float[] rule = _sharedRule ?? _tensors.Values($"{path}.phm_rule", $"phm_dim is {terms}", terms, terms, terms);
        (int height, int width) = (inputs / terms, outputs / terms);
        float[] factors = phm.Rank is not { } rank
            ? _tensors.Values($"{path}.W", because, terms, height, width)
            : KroneckerSum.Products(
                _tensors.Values($"{path}.W_left", because, terms, height, rank), _tensors.Values($"{path}.W_right", because, terms, rank, width), terms, height, rank, width);
        return KroneckerSum.Of(rule, factors, terms, height, width).Transposed();
    }

    private float[] Bias(string path, int length, string because) => _tensors.Vector($"{path}.{(_config.Phm is null ? "bias" : "b")}", length, because);

    private static FloatMatrix Scaled(Bottleneck edit) =>
        edit.Up.WithScaledRows(edit.Scale.Length == edit.Up.Rows ? edit.Scale : [.. Enumerable.Repeat(edit.Scale[0], edit.Up.Rows)]);

    // A norm gives even zero a bias, and another size to what it covers.
    private static bool HasEffect(Bottleneck edit) =>
        edit.Norm is { CoversSublayer: true }
        || (edit.Norm is { } norm && norm.Bias.AsSpan().ContainsAnyExcept(0f))
        || (edit.Scale.AsSpan().ContainsAnyExcept(0f) && (edit.Up.Values.AsSpan().ContainsAnyExcept(0f) || edit.UpBias.AsSpan().ContainsAnyExcept(0f)));
}

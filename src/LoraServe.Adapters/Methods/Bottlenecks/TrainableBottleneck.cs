using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Bottlenecks;

/// <summary>Bottleneck adapters after sublayers: Houlsby (2019, arXiv:1902.00751), Pfeiffer (2020, arXiv:2005.00052) and parallel (He 2021, arXiv:2110.04366).</summary>
internal sealed class TrainableBottleneck : TrainableAdapter
{
    private const float Deviation = 0.02f;
    private readonly List<Part> _parts = [];
    private readonly BottleneckConfig _config;

    /// <summary>Bottlenecks where AdapterHub's configuration has them, first values drawn as it draws them.</summary>
    public TrainableBottleneck(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        _config = BottleneckConfig.Read(fields);
        if (_config.HasNorm || _config.Phm is not null)
        {
            throw new AdapterFormatException("ln_after and phm_layer are for adapters that are served; bottlenecks are trained without.");
        }

        bool beginsWithoutEffect = config["config"]?["init_weights"]?.GetValue<string>() == "mam_adapter";
        foreach (BaseModule module in model.Modules.Where(module => module.Site.Role == SiteRole.Output))
        {
            foreach (BottleneckPlace place in Enum.GetValues<BottleneckPlace>().Where(place => _config.Has(module.Site.Layer, place)))
            {
                AddPart(module.Site.Layer, place, $"{BottleneckReader.PathOf(module, place)}.adapters.{_config.Name}", beginsWithoutEffect, options.Seed + (2 * _parts.Count));
            }
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _parts.Select(part => new Bottleneck(
        part.Layer,
        part.Place,
        _config.Input,
        Matrix(part.Down),
        part.DownBias.Values,
        _config.Activation,
        Matrix(part.Up),
        part.UpBias.Values,
        part.Scale?.Values ?? [_config.Scale!.Value]))];

    public override void Pull(EditGradients gradients)
    {
        foreach (Part part in _parts)
        {
            BottleneckGradient gradient = gradients.At(part.Layer, part.Place)!;
            Accumulate(part.Down, gradient.Down);
            Accumulate(part.DownBias, gradient.DownBias);
            Accumulate(part.Up, gradient.Up);
            Accumulate(part.UpBias, gradient.UpBias);
            if (part.Scale is { Values.Length: 1 } lone)
            {
                lone.Gradient[0] += gradient.Scale.Values.Sum();
            }
            else
            {
                Accumulate(part.Scale, gradient.Scale);
            }
        }
    }

    private void AddPart(int layer, BottleneckPlace place, string path, bool beginsWithoutEffect, int seed)
    {
        int width = Model.Width;
        int size = _config.Size(layer, width);
        float[]? ones = _config.Scale is null ? new float[_config.ScalesChannels ? width : 1] : null;
        Array.Fill(ones ?? [], 1);
        _parts.Add(new Part(
            layer,
            place,
            Add(
                $"{path}.adapter_down.0.weight",
                [size, width],
                beginsWithoutEffect ? Initialization.KaimingUniform(size, width, seed) : Initialization.Normal(checked(size * width), Deviation, seed)),
            Add($"{path}.adapter_down.0.bias", [size]),
            Add($"{path}.adapter_up.weight", [width, size], beginsWithoutEffect ? null : Initialization.Normal(checked(width * size), Deviation, seed + 1)),
            Add($"{path}.adapter_up.bias", [width]),
            ones is null ? null : Add($"{path}.scaling", [ones.Length], ones)));
    }

    private static FloatMatrix Matrix(Parameter parameter) => new(parameter.Shape[0], parameter.Shape[1], parameter.Values);

    private sealed record Part(int Layer, BottleneckPlace Place, Parameter Down, Parameter DownBias, Parameter Up, Parameter UpBias, Parameter? Scale);
}

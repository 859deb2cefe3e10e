using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Boft;

/// <summary>BOFT (Liu et al. 2024, arXiv:2311.06243): inputs go through a butterfly of block-diagonal rotations; outputs have factors.</summary>
internal sealed class TrainableBoft : TrainableAdapter
{
    private const float Deviation = 0.1f;
    private readonly BoftConfig _boft;
    private readonly List<(BaseModule Module, Parameter Blocks, Parameter Factors)> _sites = [];
    private InputRotation[] _rotations = [];

    /// <summary>No rotation and factors of one, or where the configuration does not want its own first values, random ones near to it.</summary>
    public TrainableBoft(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        _boft = BoftConfig.Read(fields);
        bool begins = fields.Flag("init_weights", true);
        foreach (BaseModule module in TargetedModules.Of(_boft.Modules, model))
        {
            int size = _boft.BlockSize(module);
            int seed = unchecked(options.Seed + (2 * _sites.Count));
            int[] shape = [_boft.Factors, module.Inputs / size, size, size];
            float[] factors = begins ? new float[module.Outputs] : Initialization.Normal(module.Outputs, Deviation, seed + 1);
            string path = AdapterFiles.PeftPrefix + module.Path;
            _sites.Add((
                module,
                Add($"{path}.boft_R", shape, begins ? null : Initialization.Normal(_boft.Factors * module.Inputs * size, Deviation, seed)),
                Add($"{path}.boft_s", [module.Outputs, 1], Array.ConvertAll(factors, value => 1 + value))));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits()
    {
        _rotations = new InputRotation[_sites.Count];
        Parallel.For(0, _sites.Count, i => _rotations[i] = BoftReader.Edit(_boft, _sites[i].Module, _sites[i].Blocks.Shape[2], _sites[i].Blocks.Values));
        return [.. _rotations, .. _sites.Select(site => new OutputScale(site.Module.Site, site.Factors.Values))];
    }

    public override void Pull(EditGradients gradients) => Parallel.For(0, _sites.Count, i =>
    {
        (BaseModule module, Parameter blocks, Parameter factors) = _sites[i];
        LinearEditGradient site = gradients.At(module.Site)!;
        Accumulate(factors, site.OutputGain);
        for (int factor = 0; factor < _boft.Factors; factor++)
        {
            Pull(site.Rotation[^(factor + 1)], _rotations[i].Factors[^(factor + 1)].Changes, blocks, factor);
        }
    });

    private static void Pull(GradientMatrix gradient, FloatMatrix changes, Parameter blocks, int factor)
    {
        int size = changes.Columns;
        int count = size * size;
        for (int block = 0; block < changes.Rows / size; block++)
        {
            int first = (factor * changes.Values.Length) + (block * count);
            var byBlock = new FloatMatrix(size, size, gradient.Values.AsSpan(block * count, count).ToArray());
            var change = new FloatMatrix(size, size, changes.Values.AsSpan(block * count, count).ToArray());
            FloatMatrix skew = CayleyTransform.Exact.Back(BoftReader.Skew(blocks.Values.AsSpan(first, count), size), change, byBlock);
            float[] half = BoftReader.Skew(skew.Values, size).Values;
            for (int k = 0; k < count; k++)
            {
                blocks.Gradient[first + k] += half[k];
            }
        }
    }
}

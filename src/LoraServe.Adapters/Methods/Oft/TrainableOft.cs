using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Oft;

/// <summary>OFT (Qiu et al. 2023, arXiv:2306.07280): inputs are rotated block by block; trained are the rotations' skew-symmetric matrices.</summary>
internal sealed class TrainableOft : TrainableAdapter
{
    private const float Deviation = 0.1f;
    private readonly OftConfig _oft;
    private readonly List<(BaseModule Module, Parameter Weight)> _sites = [];
    private InputRotation[] _rotations = [];

    /// <summary>No rotation, or where the configuration does not want its own first values, small random ones.</summary>
    public TrainableOft(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        _oft = OftConfig.Read(fields);
        bool begins = fields.Flag("init_weights", true);
        foreach (BaseModule module in TargetedModules.Of(_oft.Modules, model))
        {
            int size = _oft.BlockSize(module.Inputs);
            int[] shape = [_oft.SharesBlock ? 1 : module.Inputs / size, size * (size - 1) / 2];
            float[]? values = begins ? null : Initialization.Normal(shape[0] * shape[1], Deviation, unchecked(options.Seed + _sites.Count));
            _sites.Add((module, Add($"{AdapterFiles.PeftPrefix}{module.Path}.oft_R.weight", shape, values)));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits()
    {
        _rotations = new InputRotation[_sites.Count];
        Parallel.For(0, _sites.Count, i => _rotations[i] = OftReader.Edit(_oft, _sites[i].Module, _sites[i].Weight.Matrix()));
        return _rotations;
    }

    public override void Pull(EditGradients gradients) => Parallel.For(0, _sites.Count, i =>
    {
        (BaseModule module, Parameter weight) = _sites[i];
        Pull(gradients.At(module.Site)!.Rotation[0], _rotations[i].Factors[0].Changes, weight);
    });

    /// <summary>COFT keeps the parameters themselves within their bound.</summary>
    public override void AfterStep(int number)
    {
        foreach (Parameter weight in _oft.IsConstrained ? _sites.Select(site => site.Weight) : [])
        {
            for (int block = 0; block < weight.Shape[0]; block++)
            {
                OftReader.Constrain(weight.Matrix().Row(block), _oft.GreatestNorm(weight.Shape[0]));
            }
        }
    }

    private void Pull(GradientMatrix gradient, FloatMatrix changes, Parameter weight)
    {
        int size = changes.Columns;
        for (int block = 0; block < changes.Rows / size; block++)
        {
            int stored = _oft.SharesBlock ? 0 : block;
            FloatMatrix skew = _oft.Transform.Back(
                OftReader.Skew(_oft, weight.Matrix(), stored, size), Block(changes.Values, block, size), Block(gradient.Values, block, size));
            int next = stored * weight.Shape[1];
            for (int row = 0; row < size; row++)
            {
                for (int column = row + 1; column < size; column++)
                {
                    weight.Gradient[next++] += skew.Values[(row * size) + column] - skew.Values[(column * size) + row];
                }
            }
        }
    }

    private static FloatMatrix Block(float[] values, int block, int size) => new(size, size, values.AsSpan(block * size * size, size * size).ToArray());
}

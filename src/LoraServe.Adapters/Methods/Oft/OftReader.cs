using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Oft;

/// <summary>OFT (Qiu et al. 2023): inputs are rotated block by block.</summary>
internal sealed class OftReader : ModuleReader
{
    private readonly OftConfig _config;

    private OftReader(OftConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => _config.IsConstrained ? "COFT" : "OFT";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new OftReader(OftConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The rotation of a module's inputs.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="module">The module.</param>
    /// <param name="weight">A row for each block, or one for all; see <see cref="Skew"/>.</param>
    public static InputRotation Edit(OftConfig config, BaseModule module, FloatMatrix weight)
    {
        int size = config.BlockSize(module.Inputs);
        var changes = new FloatMatrix(module.Inputs, size);
        for (int block = 0; block < module.Inputs / size; block++)
        {
            Span<float> place = changes.Values.AsSpan(block * size * size, size * size);
            if (block < weight.Rows)
            {
                config.Transform.Run(Skew(config, weight, block, size)).Values.CopyTo(place);
            }
            else
            {
                changes.Values.AsSpan(0, place.Length).CopyTo(place);
            }
        }

        return new InputRotation(module.Site, [new BlockRotation(changes, [])]);
    }

    /// <summary>A block's skew-symmetric matrix: a row of the weight fills the triangle above the diagonal.</summary>
    public static FloatMatrix Skew(OftConfig config, FloatMatrix weight, int block, int size)
    {
        float[] values = [.. weight.Row(block)];
        if (config.IsConstrained)
        {
            Constrain(values, config.GreatestNorm(weight.Rows));
        }

        var skew = new FloatMatrix(size, size);
        int next = 0;
        for (int row = 0; row < size; row++)
        {
            for (int column = row + 1; column < size; column++)
            {
                float value = values[next++];
                (skew.Values[(row * size) + column], skew.Values[(column * size) + row]) = (value, -value);
            }
        }

        return skew;
    }

    /// <summary>Shortens a block's values so that the norm of its skew-symmetric matrix, in which each is twice, is no greater than this.</summary>
    public static void Constrain(Span<float> values, float greatest)
    {
        float norm = MathF.Sqrt(2) * TensorPrimitives.Norm<float>(values);
        if (norm > greatest)
        {
            TensorPrimitives.Multiply(values, greatest / norm, values);
        }
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int size = _config.BlockSize(module.Inputs);
        int blocks = _config.SharesBlock ? 1 : module.Inputs / size;
        string name = $"{module.Path}.oft_R.weight";
        FloatMatrix weight = Tensors.Matrix(name, blocks, (int)((long)size * (size - 1) / 2), $"the {module.Inputs} inputs of {module.Path} are cut into blocks of {size}, {(_config.SharesBlock ? "which are one" : $"{blocks} of them")}");
        edits.Rotation = Edit(_config, module, weight);
        RequireFinite(edits.Rotation.Factors[0].Changes, name, "values of which the rotation is finite");
    }
}

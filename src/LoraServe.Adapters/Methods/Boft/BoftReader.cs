using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Boft;

/// <summary>BOFT (Liu et al. 2024): inputs go through a butterfly of block-diagonal rotations, outputs are scaled.</summary>
internal sealed class BoftReader : ModuleReader
{
    private readonly BoftConfig _config;

    private BoftReader(BoftConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "BOFT";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new BoftReader(BoftConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The rotation of a module's inputs, W·(O_N … O_1)ᵀ: so the last factor comes first to the input.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="module">The module.</param>
    /// <param name="size">Inputs in a block.</param>
    /// <param name="values">[factors, blocks, size, size].</param>
    public static InputRotation Edit(BoftConfig config, BaseModule module, int size, ReadOnlySpan<float> values)
    {
        var factors = new BlockRotation[config.Factors];
        for (int factor = 0; factor < factors.Length; factor++)
        {
            var changes = new FloatMatrix(module.Inputs, size);
            for (int block = 0; block < module.Inputs / size; block++)
            {
                int first = block * size * size;
                FloatMatrix skew = Skew(values.Slice((factor * changes.Values.Length) + first, size * size), size);
                CayleyTransform.Exact.Run(skew).Values.CopyTo(changes.Values, first);
            }

            factors[^(factor + 1)] = new BlockRotation(changes, BoftConfig.Order(factor, module.Inputs, size));
        }

        return new InputRotation(module.Site, factors);
    }

    /// <summary>½(R − Rᵀ).</summary>
    public static FloatMatrix Skew(ReadOnlySpan<float> block, int size)
    {
        var skew = new FloatMatrix(size, size);
        for (int row = 0; row < size; row++)
        {
            for (int column = 0; column < size; column++)
            {
                skew.Values[(row * size) + column] = 0.5f * (block[(row * size) + column] - block[(column * size) + row]);
            }
        }

        return skew;
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int size = _config.BlockSize(module);
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base, with blocks of {size} inputs and {_config.Factors} factors in the configuration";
        float[] values = Tensors.Values($"{module.Path}.boft_R", because, _config.Factors, module.Inputs / size, size, size);
        edits.Rotation = Edit(_config, module, size, values);
        foreach (BlockRotation factor in edits.Rotation.Factors)
        {
            RequireFinite(factor.Changes, $"{module.Path}.boft_R", "values of which the rotation is finite");
        }

        edits.OutputScale = Tensors.Matrix($"{module.Path}.boft_s", module.Outputs, 1, because).Values;
    }
}

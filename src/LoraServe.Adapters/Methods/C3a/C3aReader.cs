using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.C3a;

/// <summary>C³A (Chen et al. 2024): the change consists of circulant blocks, each row the one above moved on by one; the number of inputs divides it.</summary>
internal sealed class C3aReader : ModuleReader
{
    private readonly C3aConfig _config;

    private C3aReader(C3aConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "C3A";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new C3aReader(C3aConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The change that kernels make.</summary>
    /// <param name="module">The linear map.</param>
    /// <param name="kernels">The first row of each block, [outputs / size, inputs / size, size].</param>
    /// <param name="size">Side of a block.</param>
    public static DenseDelta Edit(BaseModule module, ReadOnlySpan<float> kernels, int size)
    {
        FloatMatrix whole = DeltaForm.Whole(module);
        for (int row = 0; row < whole.Rows; row++)
        {
            (int block, int moved) = int.DivRem(row, size);
            for (int column = 0; column < whole.Columns; column += size)
            {
                // A block's kernel is its first row; the rows of a block row of kernels have as many elements as the weight's.
                ReadOnlySpan<float> kernel = kernels.Slice((block * whole.Columns) + column, size);
                Span<float> target = whole.Row(row).Slice(column, size);
                kernel[..^moved].CopyTo(target[moved..]);
                kernel[^moved..].CopyTo(target);
            }

            TensorPrimitives.Divide(whole.Row(row), (float)whole.Columns, whole.Row(row));
        }

        return new DenseDelta(module.Site, whole);
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int size = _config.Size(module);
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base, and block_size is {size} there";
        edits.Add(Edit(module, Tensors.Values($"{module.Path}.c3a_kernel", because, module.Outputs / size, module.Inputs / size, size), size));
    }
}

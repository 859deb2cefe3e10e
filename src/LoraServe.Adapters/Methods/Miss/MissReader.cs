using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Miss;

/// <summary>MiSS (Kang and Yin 2024): inputs whose places are equal modulo the rank are summed, and the sums go through a block.</summary>
/// <remarks>Its variant <c>bat</c> adds (W + I)·b to every square tile, with a block b for each row of tiles.</remarks>
internal sealed class MissReader : ModuleReader
{
    private readonly MissConfig _config;

    private MissReader(MissConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "MiSS";

    /// <inheritdoc />
    protected override bool IsMadeOfWeight => _config.IsOnWeights;

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new MissReader(MissConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The change.</summary>
    /// <param name="model">The base.</param>
    /// <param name="module">The linear map.</param>
    /// <param name="block">Of the shape <see cref="MissConfig.BlockShape"/> gives.</param>
    /// <param name="config">The variant.</param>
    public static ModuleEdit Edit(IBaseModel model, BaseModule module, float[] block, MissConfig config)
    {
        int rank = config.Rank;
        if (config.IsOnWeights)
        {
            return new DenseDelta(module.Site, Tiles(model, module, block, rank));
        }

        // A short block repeats along the outputs.
        var b = new FloatMatrix(module.Outputs, rank);
        int columns = block.Length / rank;
        for (int output = 0; output < module.Outputs; output++)
        {
            for (int k = 0; k < rank; k++)
            {
                b.Row(output)[k] = block[(k * columns) + (output % columns)];
            }
        }

        return new LowRank(module.Site, Sums(module, rank), b, 1);
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int[] shape = _config.BlockShape(module, Tensors.File);
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base and has rank {_config.Rank} in the configuration";
        float[] block = Tensors.Values($"{module.Path}.miss_block", because, [.. shape.Select(length => (long)length)]);
        edits.Add(Edit(Model, module, block, _config));
    }

    /// <summary>Row k has a one at every input whose place is k modulo the rank.</summary>
    private static FloatMatrix Sums(BaseModule module, int rank)
    {
        var sums = new FloatMatrix(rank, module.Inputs);
        for (int input = 0; input < module.Inputs; input++)
        {
            sums.Row(input % rank)[input] = 1;
        }

        return sums;
    }

    private static FloatMatrix Tiles(IBaseModel model, BaseModule module, float[] block, int rank)
    {
        FloatMatrix whole = DeltaForm.Whole(module);
        float[] weights = new float[module.Inputs];
        for (int output = 0; output < module.Outputs; output++)
        {
            model.CopyWeightRow(module.Site, output, weights);
            AddIdentity(weights, output, rank);
            ReadOnlySpan<float> tile = block.AsSpan(output / rank * rank * rank, rank * rank);
            for (int input = 0; input < module.Inputs; input++)
            {
                Span<float> destination = whole.Row(output).Slice(input / rank * rank, rank);
                TensorPrimitives.MultiplyAdd(tile.Slice(input % rank * rank, rank), weights[input], destination, destination);
            }
        }

        return whole;
    }

    /// <summary>Adds the identity of each tile to a row of the weight: what the block is multiplied with.</summary>
    public static void AddIdentity(Span<float> row, int output, int rank)
    {
        for (int input = output % rank; input < row.Length; input += rank)
        {
            row[input]++;
        }
    }
}

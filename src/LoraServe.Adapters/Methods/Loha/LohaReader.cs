using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Loha;

/// <summary>LoHa (Hyeon-Woo et al. 2022): W + scale·(w1_a·w1_b)∘(w2_a·w2_b), whose rank can be the square of each product's.</summary>
internal sealed class LohaReader : ModuleReader
{
    private readonly LohaConfig _config;

    private LohaReader(LohaConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "LoHa";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new LohaReader(LohaConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The change: a low-rank pair of the square of the rank where that is less than the matrix.</summary>
    /// <param name="module">The linear map.</param>
    /// <param name="firstLeft">w1_a, [outputs, rank].</param>
    /// <param name="firstRight">w1_b, [rank, inputs].</param>
    /// <param name="secondLeft">w2_a, [outputs, rank].</param>
    /// <param name="secondRight">w2_b, [rank, inputs].</param>
    /// <param name="scale">Factor of the product.</param>
    public static ModuleEdit Edit(BaseModule module, FloatMatrix firstLeft, FloatMatrix firstRight, FloatMatrix secondLeft, FloatMatrix secondRight, float scale)
    {
        int rank = firstRight.Rows;
        if (!DeltaForm.IsLowRank(module, (long)rank * rank))
        {
            FloatMatrix whole = DeltaForm.Whole(module);
            float[] row = new float[module.Inputs];
            for (int output = 0; output < module.Outputs; output++)
            {
                row.AsSpan().Clear();
                LowRankProduct.AddRow(whole.Row(output), firstRight, firstLeft.Row(output), scale);
                LowRankProduct.AddRow(row, secondRight, secondLeft.Row(output), 1);
                TensorPrimitives.Multiply(whole.Row(output), row, whole.Row(output));
            }

            return new DenseDelta(module.Site, whole);
        }

        var a = new FloatMatrix(rank * rank, module.Inputs);
        var b = new FloatMatrix(module.Outputs, rank * rank);
        for (int i = 0; i < rank; i++)
        {
            for (int j = 0; j < rank; j++)
            {
                TensorPrimitives.Multiply(firstRight.Row(i), secondRight.Row(j), a.Row((i * rank) + j));
            }
        }

        for (int output = 0; output < module.Outputs; output++)
        {
            for (int i = 0; i < rank; i++)
            {
                TensorPrimitives.Multiply(secondLeft.Row(output), firstLeft.Row(output)[i], b.Row(output).Slice(i * rank, rank));
            }
        }

        return new LowRank(module.Site, a, b, scale);
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        string path = module.Path;
        int rank = _config.Ranks.Rank(path);
        string because = $"{path} is [{module.Outputs}, {module.Inputs}] in the base and has rank {rank} in the configuration";
        edits.Add(Edit(
            module,
            Tensors.Matrix($"{path}.hada_w1_a", module.Outputs, rank, because),
            Tensors.Matrix($"{path}.hada_w1_b", rank, module.Inputs, because),
            Tensors.Matrix($"{path}.hada_w2_a", module.Outputs, rank, because),
            Tensors.Matrix($"{path}.hada_w2_b", rank, module.Inputs, because),
            _config.Ranks.Scale(path)));
    }
}

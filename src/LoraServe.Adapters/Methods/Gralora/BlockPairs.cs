using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Methods.Training;

namespace LoraServe.Adapters.Methods.Gralora;

/// <summary>GraLoRA's factors at a linear map: a pair of rank r/k for each of k·k blocks of the weight, and one over the whole; the change they make, and the way back.</summary>
/// <remarks>What a block of inputs is brought to is dealt out to the blocks of outputs: term t of output block j takes row j·r/k + t mod r/k of input block t / (r/k).</remarks>
/// <param name="module">The linear map.</param>
/// <param name="config">Ranks, blocks and scale.</param>
/// <param name="a">[k, inputs / k, r].</param>
/// <param name="b">[k, r, outputs / k].</param>
/// <param name="wholeA">[whole rank, inputs].</param>
/// <param name="wholeB">[outputs, whole rank].</param>
internal sealed class BlockPairs(BaseModule module, GraloraConfig config, float[] a, float[] b, float[] wholeA, float[] wholeB)
{
    private readonly int _rank = config.Rank;
    private readonly int _share = config.Rank / config.Blocks;
    private readonly int _inputs = config.Block(module).Inputs;
    private readonly int _outputs = config.Block(module).Outputs;

    private int Terms => config.Blocks * _rank;

    private FloatMatrix WholeA => new(config.WholeRank, module.Inputs, wholeA);

    private FloatMatrix WholeB => new(module.Outputs, config.WholeRank, wholeB);

    /// <summary>The change: a pair of all terms where that is less than the matrix.</summary>
    public ModuleEdit Edit()
    {
        float[] row = new float[_inputs];
        if (!DeltaForm.IsLowRank(module, ((long)config.Blocks * _rank) + config.WholeRank))
        {
            FloatMatrix whole = DeltaForm.Whole(module);
            LowRankProduct.Add(whole, WholeA, WholeB, config.Scale);
            for (int term = 0; term < Terms; term++)
            {
                CopyRow(term, row);
                for (int output = 0; output < _outputs; output++)
                {
                    Span<float> target = Block(whole, term, output);
                    TensorPrimitives.MultiplyAdd(row, config.Scale * b[(term * _outputs) + output], target, target);
                }
            }

            return new DenseDelta(module.Site, whole);
        }

        var down = new FloatMatrix(Terms + config.WholeRank, module.Inputs);
        var up = new FloatMatrix(module.Outputs, down.Rows);
        for (int term = 0; term < Terms; term++)
        {
            CopyRow(term, Block(down, term));
            for (int output = 0; output < _outputs; output++)
            {
                up.Row(Output(term, output))[term] = b[(term * _outputs) + output];
            }
        }

        wholeA.CopyTo(down.Values, Terms * module.Inputs);
        for (int output = 0; output < module.Outputs; output++)
        {
            wholeB.AsSpan(output * config.WholeRank, config.WholeRank).CopyTo(up.Row(output)[Terms..]);
        }

        return new LowRank(module.Site, down, up, config.Scale);
    }

    /// <summary>Adds to the factors' derivatives what those by the change come to, where it is a matrix.</summary>
    public void PullDense(FloatMatrix d, float[] dA, float[] dB, float[] dWholeA, float[] dWholeB)
    {
        // By what is not scaled yet.
        var unscaled = new FloatMatrix(d.Rows, d.Columns);
        TensorPrimitives.Multiply(d.Values, config.Scale, unscaled.Values);
        if (config.WholeRank > 0)
        {
            MatrixGradient.OfProduct(unscaled, WholeB, WholeA, dWholeB, dWholeA);
        }

        float[] row = new float[_inputs];
        float[] dRow = new float[_inputs];
        for (int term = 0; term < Terms; term++)
        {
            CopyRow(term, row);
            dRow.AsSpan().Clear();
            for (int output = 0; output < _outputs; output++)
            {
                ReadOnlySpan<float> part = Block(unscaled, term, output);
                dB[(term * _outputs) + output] += TensorPrimitives.Dot(part, row);
                TensorPrimitives.MultiplyAdd(part, b[(term * _outputs) + output], dRow, dRow);
            }

            AddRow(term, dRow, dA);
        }
    }

    /// <summary>The same where the change is a pair.</summary>
    public void PullPair(FloatMatrix dDown, FloatMatrix dUp, float[] dA, float[] dB, float[] dWholeA, float[] dWholeB)
    {
        for (int term = 0; term < Terms; term++)
        {
            AddRow(term, Block(dDown, term), dA);
            for (int output = 0; output < _outputs; output++)
            {
                dB[(term * _outputs) + output] += dUp.Row(Output(term, output))[term];
            }
        }

        TensorPrimitives.Add(dWholeA, dDown.Values.AsSpan(Terms * module.Inputs), dWholeA);
        for (int output = 0; output < module.Outputs; output++)
        {
            Span<float> to = dWholeB.AsSpan(output * config.WholeRank, config.WholeRank);
            TensorPrimitives.Add(to, dUp.Row(output)[Terms..], to);
        }
    }

    /// <summary>Which block of inputs a term reads.</summary>
    private int InputBlock(int term) => term % _rank / _share;

    /// <summary>Where in a's rows of its block of inputs a term's is.</summary>
    private int RowOfBlock(int term) => (term / _rank * _share) + (term % _share);

    private int Output(int term, int output) => (term / _rank * _outputs) + output;

    private Span<float> Block(FloatMatrix down, int term) => down.Row(term).Slice(InputBlock(term) * _inputs, _inputs);

    private Span<float> Block(FloatMatrix whole, int term, int output) => whole.Row(Output(term, output)).Slice(InputBlock(term) * _inputs, _inputs);

    private void CopyRow(int term, Span<float> row)
    {
        int first = (InputBlock(term) * _inputs * _rank) + RowOfBlock(term);
        for (int input = 0; input < _inputs; input++)
        {
            row[input] = a[first + (input * _rank)];
        }
    }

    private void AddRow(int term, ReadOnlySpan<float> row, float[] to)
    {
        int first = (InputBlock(term) * _inputs * _rank) + RowOfBlock(term);
        for (int input = 0; input < _inputs; input++)
        {
            to[first + (input * _rank)] += row[input];
        }
    }
}

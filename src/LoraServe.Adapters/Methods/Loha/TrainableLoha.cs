using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Loha;

/// <summary>LoHa (Hyeon-Woo et al. 2022, arXiv:2108.06098): ΔW is the elementwise product of two low-rank products.</summary>
internal sealed class TrainableLoha : TrainableUpdates
{
    private const float FirstDeviation = 0.1f;

    /// <summary>All drawn but w2_a, which is zero where the configuration's init_weights is true.</summary>
    public TrainableLoha(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        LohaConfig loha = LohaConfig.Read(fields);
        bool beginsAsBase = fields.Flag("init_weights", true);
        AddUpdates(loha.Modules, options.Seed, (module, path, seed) =>
        {
            int rank = loha.Ranks.Rank(module.Path);
            Parameter Drawn(string part, int rows, int columns, float deviation, int index) =>
                Add($"{path}.hada_{part}", [rows, columns], Initialization.Normal(checked(rows * columns), deviation, seed + index));

            return new Update(
                module,
                Drawn("w1_a", module.Outputs, rank, FirstDeviation, 0),
                Drawn("w1_b", rank, module.Inputs, 1, 1),
                Drawn("w2_a", module.Outputs, rank, beginsAsBase ? 0 : FirstDeviation, 2),
                Drawn("w2_b", rank, module.Inputs, 1, 3),
                loha.Ranks.Scale(module.Path));
        });
    }

    private sealed class Update(BaseModule module, Parameter firstLeft, Parameter firstRight, Parameter secondLeft, Parameter secondRight, float scale)
        : TrainableUpdate(module)
    {
        private readonly int _rank = firstRight.Shape[0];

        public override ModuleEdit Edit() => LohaReader.Edit(Module, firstLeft.Matrix(), firstRight.Matrix(), secondLeft.Matrix(), secondRight.Matrix(), scale);

        public override void Pull(LinearEditGradient change)
        {
            if (change.Dense is { } dense)
            {
                PullDense(dense.Matrix(), firstLeft, firstRight, secondLeft, secondRight);
                PullDense(dense.Matrix(), secondLeft, secondRight, firstLeft, firstRight);
                return;
            }

            // Row i·rank + j of A is the elementwise product of row i of w1_b and row j of w2_b, and columns of B are of w1_a's and w2_a's.
            FloatMatrix dA = change.A!.Matrix();
            for (int term = 0; term < dA.Rows; term++)
            {
                (int i, int j) = int.DivRem(term, _rank);
                AddProduct(dA.Row(term), Row(secondRight.Values, j), Row(firstRight.Gradient, i));
                AddProduct(dA.Row(term), Row(firstRight.Values, i), Row(secondRight.Gradient, j));
            }

            FloatMatrix dB = change.B!.Matrix();
            for (int term = 0; term < firstLeft.Values.Length; term++)
            {
                (int output, int i) = int.DivRem(term, _rank);
                ReadOnlySpan<float> d = dB.Row(output).Slice(i * _rank, _rank);
                Span<float> dSecond = secondLeft.Gradient.AsSpan(output * _rank, _rank);
                firstLeft.Gradient[term] += TensorPrimitives.Dot(d, secondLeft.Values.AsSpan(output * _rank, _rank));
                TensorPrimitives.MultiplyAdd(d, firstLeft.Values[term], dSecond, dSecond);
            }
        }

        /// <summary>To one product's factors: the other product is the factor of each element.</summary>
        private void PullDense(FloatMatrix dense, Parameter left, Parameter right, Parameter otherLeft, Parameter otherRight)
        {
            var d = new FloatMatrix(dense.Rows, dense.Columns);
            LowRankProduct.Add(d, otherRight.Matrix(), otherLeft.Matrix(), scale);
            TensorPrimitives.Multiply(d.Values, dense.Values, d.Values);
            MatrixGradient.OfProduct(d, left.Matrix(), right.Matrix(), left.Gradient, right.Gradient);
        }

        private Span<float> Row(float[] values, int row) => values.AsSpan(row * Module.Inputs, Module.Inputs);

        private static void AddProduct(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> sums) => TensorPrimitives.MultiplyAdd(a, b, sums, sums);
    }
}

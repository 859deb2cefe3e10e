using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Methods.Lora;

public sealed class DoraTests
{
    [Theory]
    [InlineData(ElementType.F32, Arithmetic.Exact)]
    [InlineData(ElementType.Q8_0, Arithmetic.Fast)]
    [InlineData(ElementType.Q4_1, Arithmetic.Fast)]
    public void Norms_OfEveryModule_AreThoseOfTheFormedRows(ElementType type, Arithmetic arithmetic)
    {
        using Transformer model = TinyModel.Create(3, arithmetic, type);
        foreach (BaseModule module in model.Modules)
        {
            bool isTable = module.Site == Site.Embedding;
            LowRank pair = Pair(module, isTable);
            float[] norms = new float[isTable ? module.Inputs : module.Outputs];
            Dora.Norms(model, module, pair.A, pair.B, pair.Scale, norms);
            double[] squares = new double[norms.Length];
            float[] row = new float[module.Inputs];
            for (int i = 0; i < module.Outputs; i++)
            {
                ChangedRow.Write(model, module, [pair], null, i, row);
                for (int j = 0; j < row.Length; j++)
                {
                    squares[isTable ? j : i] += (double)row[j] * row[j];
                }
            }

            Assert.All(norms.Zip(squares), entry => Assert.Equal(1, entry.First / Math.Sqrt(entry.Second), 5));
        }
    }

    [Fact]
    public void Norms_OfPairsThatCancel_AreTheBaseOnes()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        BaseModule module = model.At(new Site(0, SiteRole.Query));
        LowRank pair = Pair(module, isTable: false);
        float[] norms = new float[module.Outputs];
        Dora.Norms(model, module, [pair, pair with { Scale = -pair.Scale }], null, norms);
        double[] rows = WeightNorms.Of(model, module).Rows;
        Assert.All(norms.Zip(rows), entry => Assert.Equal(Math.Sqrt(entry.Second), entry.First, 5));
        Assert.Equal(rows.Sum(), WeightNorms.Of(model, module).Columns.Sum(), 9);
    }

    private static LowRank Pair(BaseModule module, bool isTable)
    {
        (int outputs, int inputs) = isTable ? (module.Inputs, module.Outputs) : (module.Outputs, module.Inputs);
        var random = new Random(outputs);
        return new LowRank(module.Site, Matrix(random, 3, inputs), Matrix(random, outputs, 3), 0.7f);
    }

    private static FloatMatrix Matrix(Random random, int rows, int columns) =>
        new(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)]);
}

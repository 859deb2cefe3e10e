using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;

namespace LoraServe.Adapters.Methods.RandLora;

/// <summary>RandLoRA's random bases, which all modules share: of each base j the product of B[:, j, :] and A.</summary>
/// <remarks>
/// A module takes the first rows, bases and columns that it needs, and scales A for each base: row (i, j) of A′ is
/// λ[i, j]·A[i]∘γ[j]. PEFT multiplies it with B′, whose columns go by (j, i), as they are numbered: so a term's two factors need
/// not be of the same base.
/// </remarks>
/// <param name="a">[rank, lesser].</param>
/// <param name="b">[greater, bases · rank].</param>
internal sealed class RandLoraBases(FloatMatrix a, FloatMatrix b)
{
    /// <summary>Name of A among the tensors.</summary>
    public const string NameOfA = "randlora_A";

    /// <summary>Name of B among the tensors.</summary>
    public const string NameOfB = "randlora_B";

    private const double UsualSparsity = 3;

    /// <summary>[rank, lesser].</summary>
    public FloatMatrix A => a;

    /// <summary>[greater, bases · rank].</summary>
    public FloatMatrix B => b;

    /// <summary>Columns of A.</summary>
    public int Lesser => a.Columns;

    /// <summary>Rows of B.</summary>
    public int Greater => b.Rows;

    /// <summary>The widths of bases for some modules: the lesser and the greater of the most inputs and the most outputs.</summary>
    public static (int Lesser, int Greater) Widths(IEnumerable<BaseModule> modules)
    {
        (int inputs, int outputs) = (1, 1);
        foreach (BaseModule module in modules)
        {
            (inputs, outputs) = (Math.Max(inputs, module.Inputs), Math.Max(outputs, module.Outputs));
        }

        return (Math.Min(inputs, outputs), Math.Max(inputs, outputs));
    }

    /// <summary>Takes bases from a file.</summary>
    /// <exception cref="AdapterFormatException">They are missing or of another shape.</exception>
    public static RandLoraBases Read(AdapterTensors tensors, RandLoraConfig config, int lesser, int greater)
    {
        int bases = config.Bases(lesser);
        string because = $"r is {config.Rank}, and the targeted modules have at most {lesser} and {greater} inputs and outputs";
        return new RandLoraBases(
            new FloatMatrix(config.Rank, lesser, tensors.Values(NameOfA, because, config.Rank, 1, lesser)),
            new FloatMatrix(greater, bases * config.Rank, tensors.Values(NameOfB, because, greater, bases, config.Rank)));
    }

    /// <summary>The bases that PEFT draws from the configuration's seed.</summary>
    public static RandLoraBases Draw(RandLoraConfig config, int lesser, int greater)
    {
        int bases = config.Bases(lesser);
        var generator = new TorchGenerator((ulong)config.Seed);
        if (config.IsSparse || config.IsVerySparse)
        {
            double sparsity = config.IsVerySparse ? Math.Sqrt(lesser) : UsualSparsity;
            float[] sparseA = Sparse(generator.Uniform(config.Rank * lesser), sparsity);
            return new RandLoraBases(
                new FloatMatrix(config.Rank, lesser, sparseA),
                new FloatMatrix(greater, bases * config.Rank, Sparse(generator.Uniform(checked(greater * bases * config.Rank)), sparsity)));
        }

        // Drawn, brought to unit deviation and rounded in bfloat16.
        float[] a = Normalized(generator.KaimingUniformBFloat16(config.Rank * lesser, lesser));
        var b = new FloatMatrix(greater, checked(bases * config.Rank));
        for (int j = 0; j < bases; j++)
        {
            float[] part = generator.KaimingUniformBFloat16(checked(greater * config.Rank), config.Rank);
            for (int row = 0; row < greater; row++)
            {
                part.AsSpan(row * config.Rank, config.Rank).CopyTo(b.Row(row)[(j * config.Rank)..]);
            }
        }

        return new RandLoraBases(new FloatMatrix(config.Rank, lesser, a), new FloatMatrix(greater, b.Columns, Normalized(b.Values)));
    }

    /// <summary>Refuses bases at a module that are not those of all.</summary>
    /// <exception cref="AdapterFormatException">They differ.</exception>
    public void RequireSame(RandLoraBases other, BaseModule module, AdapterTensors tensors)
    {
        if (!a.Values.AsSpan().SequenceEqual(other.A.Values) || !b.Values.AsSpan().SequenceEqual(other.B.Values))
        {
            throw new AdapterFormatException($"{tensors.File}: {NameOfA} and {NameOfB} at {module.Path} differ from those that all modules share; expected the same. Save the adapter again.");
        }
    }

    /// <summary>ΔW of a module, [outputs, inputs].</summary>
    /// <param name="module">The module.</param>
    /// <param name="lambda">λ, [rank, bases].</param>
    /// <param name="gamma">γ, [bases, lesser of inputs and outputs].</param>
    /// <param name="scale">Factor of the whole.</param>
    public FloatMatrix Change(BaseModule module, FloatMatrix lambda, FloatMatrix gamma, float scale)
    {
        FloatMatrix scaled = ScaledA(lambda, gamma);
        FloatMatrix left = PartOfB(Math.Max(module.Outputs, module.Inputs), scaled.Rows);
        var change = new FloatMatrix(left.Rows, scaled.Columns);
        DenseProduct.Run(left, scaled, change, scale);
        return module.Inputs <= module.Outputs ? change : change.Transposed();
    }

    /// <summary>Takes a derivative by ΔW back to λ and γ.</summary>
    /// <param name="module">The module.</param>
    /// <param name="gradient">[outputs, inputs].</param>
    /// <param name="lambda">λ, and what is added to its derivative.</param>
    /// <param name="gamma">γ, and what is added to its derivative.</param>
    /// <param name="scale">Factor of the whole.</param>
    public void Back(BaseModule module, FloatMatrix gradient, (FloatMatrix Values, FloatMatrix Gradient) lambda, (FloatMatrix Values, FloatMatrix Gradient) gamma, float scale)
    {
        (int rank, int bases) = (lambda.Values.Rows, lambda.Values.Columns);
        FloatMatrix tall = module.Inputs <= module.Outputs ? gradient : gradient.Transposed();
        var byScaled = new FloatMatrix(rank * bases, tall.Columns);
        DenseProduct.RunTransposed(PartOfB(tall.Rows, byScaled.Rows), tall, byScaled, scale);
        float[] product = new float[tall.Columns];
        for (int i = 0; i < rank; i++)
        {
            for (int j = 0; j < bases; j++)
            {
                TensorPrimitives.Multiply(byScaled.Row((i * bases) + j), a.Row(i)[..product.Length], product);
                lambda.Gradient.Row(i)[j] += TensorPrimitives.Dot<float>(product, gamma.Values.Row(j));
                TensorPrimitives.MultiplyAdd(product, lambda.Values.Row(i)[j], gamma.Gradient.Row(j), gamma.Gradient.Row(j));
            }
        }
    }

    private static float[] Sparse(float[] draws, double sparsity)
    {
        float edge = (float)(1 / (2 * sparsity));
        float[] signs = Array.ConvertAll(draws, draw => draw < edge ? -1f : draw > (float)(1 - (1 / (2 * sparsity))) ? 1f : 0f);
        float deviation = (float)Deviation(signs);
        return Array.ConvertAll(signs, sign => sign / deviation);
    }

    private static float[] Normalized(float[] values)
    {
        float deviation = TorchGenerator.RoundToBFloat16((float)Deviation(values));
        return Array.ConvertAll(values, value => TorchGenerator.RoundToBFloat16(value / deviation));
    }

    private static double Deviation(float[] values)
    {
        double mean = values.Average(value => (double)value);
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }

    /// <summary>A′, [rank · bases, lesser].</summary>
    private FloatMatrix ScaledA(FloatMatrix lambda, FloatMatrix gamma)
    {
        var scaled = new FloatMatrix(lambda.Rows * lambda.Columns, gamma.Columns);
        for (int i = 0; i < lambda.Rows; i++)
        {
            for (int j = 0; j < lambda.Columns; j++)
            {
                Span<float> row = scaled.Row((i * lambda.Columns) + j);
                TensorPrimitives.Multiply(a.Row(i)[..row.Length], gamma.Row(j), row);
                TensorPrimitives.Multiply(row, lambda.Row(i)[j], row);
            }
        }

        return scaled;
    }

    /// <summary>B′, the first rows and columns of B.</summary>
    private FloatMatrix PartOfB(int rows, int columns)
    {
        FloatMatrix first = rows == b.Rows ? b : new FloatMatrix(rows, b.Columns, b.Values[..(rows * b.Columns)]);
        return columns == b.Columns ? first : first.ColumnsFrom(0, columns);
    }
}

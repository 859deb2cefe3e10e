using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>A low-rank pair at a table of tokens or of positions: row t += scale · B·A[:, t].</summary>
/// <param name="module">The table.</param>
/// <param name="a">[rank, tokens].</param>
/// <param name="b">[width, rank].</param>
/// <param name="scale">Factor of the product.</param>
internal sealed class TrainableTablePair(BaseModule module, Parameter a, Parameter b, float scale)
{
    /// <summary>The table.</summary>
    public BaseModule Module => module;

    /// <summary>[rank, tokens].</summary>
    public Parameter A => a;

    /// <summary>[width, rank].</summary>
    public Parameter B => b;

    /// <summary>The edit; it follows every step, since its matrices are the parameters' own arrays.</summary>
    public LowRank Edit { get; } = new(
        module.Site, new FloatMatrix(a.Shape[0], a.Shape[1], a.Values), new FloatMatrix(b.Shape[0], b.Shape[1], b.Values), scale);

    /// <summary>Adds to the parameters' gradients. Resident, both factors are transposed and the scale is folded into B's.</summary>
    public void Pull(TableGradient table)
    {
        AddTransposed(table.Codes!, 1, a);
        AddTransposed(table.Directions!, scale, b);
    }

    private static void AddTransposed(GradientMatrix gradient, float factor, Parameter parameter)
    {
        (int rows, int columns) = (gradient.Rows.Count, gradient.Rows.Width);
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                parameter.Gradient[(column * rows) + row] += factor * gradient.Values[(row * columns) + column];
            }
        }
    }
}

using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.LinearAlgebra;

/// <summary>One of the two matrices of a Kronecker product, written as a product of the smallest inner length that it has.</summary>
/// <remarks>A matrix that is stored whole is its product with the identity on its shorter side.</remarks>
internal sealed class KroneckerFactor
{
    private KroneckerFactor(FloatMatrix left, FloatMatrix right, FloatMatrix? whole) => (Left, Right, Whole) = (left, right, whole);

    /// <summary>[rows, rank].</summary>
    public FloatMatrix Left { get; }

    /// <summary>[rank, columns].</summary>
    public FloatMatrix Right { get; }

    /// <summary>The matrix where it is stored whole; then one of <see cref="Left"/> and <see cref="Right"/> is the identity.</summary>
    public FloatMatrix? Whole { get; }

    /// <summary>Inner length of the product.</summary>
    public int Rank => Right.Rows;

    /// <summary>A matrix stored whole.</summary>
    public static KroneckerFactor Of(FloatMatrix whole) => whole.Rows <= whole.Columns
        ? new(Identity(whole.Rows), whole, whole)
        : new(whole, Identity(whole.Columns), whole);

    /// <summary>A matrix stored as a product.</summary>
    public static KroneckerFactor Of(FloatMatrix left, FloatMatrix right) => new(left, right, null);

    /// <summary>The matrix.</summary>
    public FloatMatrix Formed()
    {
        if (Whole is not null)
        {
            return Whole;
        }

        var product = new FloatMatrix(Left.Rows, Right.Columns);
        LowRankProduct.Add(product, Right, Left, 1);
        return product;
    }

    private static FloatMatrix Identity(int size)
    {
        var identity = new FloatMatrix(size, size);
        for (int i = 0; i < size; i++)
        {
            identity.Row(i)[i] = 1;
        }

        return identity;
    }
}

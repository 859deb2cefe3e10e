namespace LoraServe.Torch.Native;

/// <summary>Operations with a number, which stays alive until they are done.</summary>
/// <remarks>
/// TorchSharp makes an object of a number, takes its handle and lets go of it before it calls libtorch: a collection between the two
/// frees what libtorch then reads ("Unknown scalar type", or worse). A sum makes one too, of the factor 1 that nobody gave, and a
/// square one of its exponent. So numbers go through here, and a test says so.
/// </remarks>
internal static class ScalarCalls
{
    private static readonly Scalar s_one = 1.ToScalar();

    /// <summary>x · factor.</summary>
    public static Tensor Times(this Tensor x, double factor)
    {
        using Scalar number = factor.ToScalar();
        return x.mul(number);
    }

    /// <summary>x + summand.</summary>
    public static Tensor Plus(this Tensor x, double summand)
    {
        using Scalar number = summand.ToScalar();
        return x.add(number, s_one);
    }

    /// <summary>x + summand of whole numbers.</summary>
    public static Tensor Plus(this Tensor x, long summand)
    {
        using Scalar number = summand.ToScalar();
        return x.add(number, s_one);
    }

    /// <summary>x + y.</summary>
    public static Tensor Plus(this Tensor x, Tensor y) => x.add(y, s_one);

    /// <summary>x + factor · y.</summary>
    public static Tensor Plus(this Tensor x, Tensor y, double factor)
    {
        using Scalar number = factor.ToScalar();
        return x.add(y, number);
    }

    /// <summary>x ← x + summand.</summary>
    public static Tensor Increase(this Tensor x, double summand)
    {
        using Scalar number = summand.ToScalar();
        x.add_(number, s_one).Dispose(x);
        return x;
    }

    /// <summary>x ← x + y.</summary>
    public static Tensor Increase(this Tensor x, Tensor y)
    {
        x.add_(y, s_one).Dispose(x);
        return x;
    }

    /// <summary>x ← x + factor · y.</summary>
    public static Tensor Increase(this Tensor x, Tensor y, double factor)
    {
        using Scalar number = factor.ToScalar();
        x.add_(y, number).Dispose(x);
        return x;
    }

    /// <summary>x[rows] ← x[rows] + y.</summary>
    public static void IncreaseRows(this Tensor x, Tensor rows, Tensor y) => x.index_add_(0, rows, y, s_one).Dispose(x);

    /// <summary>x with factor · source added to the columns of an index.</summary>
    public static Tensor PlusColumns(this Tensor x, Tensor columns, Tensor source, double factor)
    {
        using Scalar number = factor.ToScalar();
        return x.index_add(1, columns, source, number);
    }

    /// <summary>x with source added to some of its rows.</summary>
    public static Tensor PlusRows(this Tensor x, Tensor rows, Tensor source) => x.index_add(0, rows, source, s_one);

    /// <summary>Gives back a second handle of a tensor that was changed in place.</summary>
    private static void Dispose(this Tensor handle, Tensor changed)
    {
        if (!ReferenceEquals(handle, changed))
        {
            handle.Dispose();
        }
    }
}

namespace LoraServe.Compute.Kernels;

/// <summary>What is done to finished columns of a product while they are still in cache.</summary>
public interface IMatMulEpilogue
{
    /// <summary>Called by the worker that has just computed these columns of part <paramref name="part"/> for all rows; ranges are disjoint and run concurrently.</summary>
    void Apply(int part, int firstColumn, int columnCount);
}

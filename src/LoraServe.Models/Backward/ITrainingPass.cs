namespace LoraServe.Models.Backward;

/// <summary>Runs ragged batches forth and back on a device: any number of adapters, each with examples of its own, in one pass.</summary>
/// <remarks>
/// Where <see cref="Transformer.IsBatchInvariant"/>, each adapter's losses and derivatives are the same bits as if it had been alone in the
/// batch; elsewhere they are so but for rounding. One thread at a time may use it.
/// </remarks>
public interface ITrainingPass : IDisposable
{
    /// <summary>Computes each share's losses and, where it is trained, adds its derivatives.</summary>
    /// <param name="shares">Each adapter at most once.</param>
    /// <param name="checkpointsActivations">Whether only each layer's input is kept and the layer run again on the way back; changes no bit.</param>
    void Run(IReadOnlyList<BatchShare> shares, bool checkpointsActivations = false);
}

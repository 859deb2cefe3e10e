namespace LoraServe.Compute.Memory;

/// <summary>Memory of tensors that can be taken away while they live.</summary>
internal interface IDisposableMemory : IDisposable
{
    /// <summary>Whether the memory is gone.</summary>
    bool IsDisposed { get; }
}

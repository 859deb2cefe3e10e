using LoraServe.Compute.Memory;

namespace LoraServe.Serving.Sampling;

/// <summary>One worker's vocabulary-sized memory for sampling.</summary>
internal sealed unsafe class SamplerScratch(int vocabularySize) : IDisposable
{
    private readonly NativeBuffer _logits = new((long)vocabularySize * sizeof(float));
    private readonly NativeBuffer _weights = new((long)vocabularySize * sizeof(float));
    private readonly NativeBuffer _order = new((long)vocabularySize * sizeof(ulong));
    private readonly NativeBuffer _seen = new((long)vocabularySize * sizeof(int));
    private int _stamp;

    /// <summary>A row that may be changed.</summary>
    public Span<float> Logits => new(_logits.Pointer, vocabularySize);

    /// <summary>Unnormalised probabilities.</summary>
    public Span<float> Weights => new(_weights.Pointer, vocabularySize);

    /// <summary>Candidates in order, see <see cref="Candidates"/>.</summary>
    public Span<ulong> Order => new(_order.Pointer, vocabularySize);

    /// <summary>Begins a new set of tokens.</summary>
    public void ForgetSeen()
    {
        if (++_stamp == int.MaxValue)
        {
            new Span<int>(_seen.Pointer, vocabularySize).Clear();
            _stamp = 1;
        }
    }

    /// <summary>Adds a token to the set; false when it is there already.</summary>
    public bool See(int token)
    {
        int* seen = (int*)_seen.Pointer + token;
        bool isNew = *seen != _stamp;
        *seen = _stamp;
        return isNew;
    }

    public void Dispose()
    {
        _logits.Dispose();
        _weights.Dispose();
        _order.Dispose();
        _seen.Dispose();
    }
}

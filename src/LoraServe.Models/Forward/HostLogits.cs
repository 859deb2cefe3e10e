using LoraServe.Compute.Memory;

namespace LoraServe.Models.Forward;

/// <summary>Logits in this machine's memory.</summary>
public sealed class HostLogits : StepLogits
{
    private Rows _rows;

    /// <inheritdoc />
    public override int Count => _rows.Count;

    /// <summary>Becomes those of another step.</summary>
    /// <returns>Itself.</returns>
    public HostLogits Of(Rows rows)
    {
        _rows = rows;
        return this;
    }

    /// <inheritdoc />
    public override Rows Read(int first, int count) => count == 0 ? default : _rows.Slice(first, count);
}

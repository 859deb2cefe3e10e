using LoraServe.Compute.Memory;

namespace LoraServe.Cpu.Backward;

/// <summary>The result of an operation on the tape and, once the walk back has reached it, the derivative of the loss by it.</summary>
/// <param name="rows">The result.</param>
/// <param name="needsGradient">Whether anything that it was made from is trained.</param>
internal sealed class TapeValue(Rows rows, bool needsGradient)
{
    /// <summary>The result; on the way back only after <see cref="Restore"/>.</summary>
    public Rows Rows { get; } = rows;

    /// <summary>Makes the result again where another value may have taken its place; null where it stays.</summary>
    public Action<TapeValue>? Recompute { get; init; }

    /// <summary>Whether anything that it was made from is trained.</summary>
    public bool NeedsGradient { get; } = needsGradient;

    /// <summary>Derivative of the loss, of the shape of <see cref="Rows"/>; no rows until something has flowed back.</summary>
    public Rows Gradient { get; set; }

    /// <summary>Whether something has flowed back.</summary>
    public bool HasGradient => Gradient.Count > 0;

    /// <summary>Sees to it that <see cref="Rows"/> hold the result.</summary>
    public void Restore() => Recompute?.Invoke(this);
}

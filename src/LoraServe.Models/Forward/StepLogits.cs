using LoraServe.Compute.Memory;

namespace LoraServe.Models.Forward;

/// <summary>A step's logits, where the device has them; valid until the next step.</summary>
public abstract class StepLogits
{
    /// <summary>Number of rows.</summary>
    public abstract int Count { get; }

    /// <summary>All rows, [<see cref="Count"/>, V], in this machine's memory.</summary>
    public Rows Rows => Read(0, Count);

    /// <summary>The same in the memory of another device; null where they lie in this machine's.</summary>
    public virtual IDeviceLogits? OnDevice => null;

    /// <summary>Some adjacent rows in this machine's memory, [count, V].</summary>
    /// <param name="first">The first.</param>
    /// <param name="count">How many.</param>
    public abstract Rows Read(int first, int count);
}

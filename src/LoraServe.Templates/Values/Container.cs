namespace LoraServe.Templates.Values;

/// <summary>A value that holds others. Its size and depth are known when it is made, and bounded.</summary>
/// <remarks>
/// Templates can share a value many times over (<c>x = [x, x]</c>), so that walking it would take exponential time.
/// Counting every occurrence bounds all walks: printing, comparing, hashing, writing as JSON.
/// </remarks>
internal abstract class Container : IObject
{
    private const int MaxWeight = 1_000_000;
    private const int MaxDepth = 200;

    /// <summary>How many values a walk visits, this one included.</summary>
    public int Weight { get; private set; } = 1;

    public abstract string TypeName { get; }

    private int Depth { get; set; } = 1;

    protected void Absorb(object? child)
    {
        (int weight, int depth) = child is Container container ? (container.Weight, container.Depth) : (1, 0);
        Weight += weight;
        Depth = Math.Max(Depth, depth + 1);
        if (Weight > MaxWeight)
        {
            throw new EvaluationError($"a value holds more than {MaxWeight} values");
        }

        if (Depth > MaxDepth)
        {
            throw new EvaluationError($"a value nests more than {MaxDepth} levels deep");
        }
    }
}

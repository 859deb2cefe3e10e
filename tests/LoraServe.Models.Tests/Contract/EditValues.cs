using LoraServe.Adapters.Edits;

namespace LoraServe.Models.Tests.Contract;

/// <summary>Numbers of edits, the same for the same seed: multiples of <see cref="Step"/>, so that moving one by a step, or by 1, loses nothing in float32.</summary>
internal sealed class EditValues(int seed)
{
    /// <summary>What numbers are moved by to see the loss change.</summary>
    public const float Step = 1f / (1 << 16);

    private readonly Random _random = new(seed);

    /// <summary>Below a limit.</summary>
    public int Next(int limit) => _random.Next(limit);

    /// <summary>Evenly spread around a center.</summary>
    public float[] Around(float center, int count, float range = 0.5f) =>
        [.. Enumerable.Range(0, count).Select(_ => MathF.Round((center + (range * ((2 * _random.NextSingle()) - 1))) / Step) * Step)];

    /// <summary>Evenly spread around 0, so that a product is about as large as what is multiplied.</summary>
    public FloatMatrix Matrix(int rows, int columns, float gain = 1) => new(rows, columns, Around(0, rows * columns, gain * 1.7f / MathF.Sqrt(columns)));

    /// <summary>Some order of numbers from 0 on.</summary>
    public int[] Order(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        _random.Shuffle(order);
        return order;
    }

    /// <summary>Some numbers below a limit, ascending, each once.</summary>
    public int[] Some(int count, int limit) => [.. Order(limit).Take(count).Order()];
}

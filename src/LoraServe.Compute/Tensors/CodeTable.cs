using System.Collections.Immutable;

namespace LoraServe.Compute.Tensors;

/// <summary>What a block type's codes mean, for a device that keeps them: value = scale · <see cref="Values"/>[code] (+ minimum).</summary>
/// <param name="Values">The whole number that each code stands for.</param>
/// <param name="RunElements">Consecutive values of a row that share a scale: 16 or 32.</param>
/// <param name="HasMinimum">Whether runs have a minimum.</param>
/// <param name="AreHalves">Whether half precision holds scales and minima exactly.</param>
public sealed record CodeTable(ImmutableArray<float> Values, int RunElements, bool HasMinimum, bool AreHalves)
{
    /// <summary>Whether each code stands for one more than the code before it.</summary>
    public bool IsEven { get; } = Values.Zip(Values.Skip(1)).All(pair => pair.Second - pair.First == 1);

    internal static CodeTable? Of(StoredFormat stored)
    {
        if (stored.ReadGroup is null)
        {
            return null;
        }

        CodeForm form = stored.Codes;
        int zero = form.ZeroPoint;
        return new CodeTable(
            [.. Enumerable.Range(0, 1 << form.Bits).Select(code => (float)(form.HasLevels ? Iq4Blocks.Levels[code] : code - zero))],
            CodeForm.GroupElements / Math.Max(form.Factors, 1),
            form.HasMinimum,
            form.Factors == 0);
    }
}

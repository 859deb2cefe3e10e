using System.Text.Json;

namespace LoraServe.Adapters.Peft;

/// <summary>PEFT's <c>use_bdlora</c>: one factor of a pair is block-diagonal, and only its blocks are stored.</summary>
/// <param name="Blocks">Number of blocks.</param>
/// <param name="InA">Names of modules whose A is block-diagonal.</param>
/// <param name="InB">Names of modules whose B is block-diagonal.</param>
internal sealed record BlockDiagonalConfig(int Blocks, string[] InA, string[] InB)
{
    private const string Field = "use_bdlora";

    /// <summary>Reads the field; null where it is not set.</summary>
    public static BlockDiagonalConfig? Read(ConfigFields fields)
    {
        if (fields.Find(Field) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw fields.Refuse(Field, value, "an object");
        }

        var inner = new ConfigFields(fields.File, value);
        var config = new BlockDiagonalConfig(
            inner.Integer("nblocks", 1) ?? 1,
            inner.Texts("target_modules_bd_a") ?? [],
            inner.Texts("target_modules_bd_b") ?? []);
        inner.Ignore("match_strict");
        return inner.UnreadAndSet.FirstOrDefault() is { } unknown ? throw fields.Refuse($"{Field}.{unknown}", value, "nblocks, target_modules_bd_a, target_modules_bd_b and match_strict only") : config;
    }
}

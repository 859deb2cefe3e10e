namespace LoraServe.Models.Forward;

/// <summary>A page of the key/value cache: positions of one sequence, for all layers. What it looks like inside is the device's.</summary>
public static class KvPage
{
    /// <summary>Positions in a page, on every device.</summary>
    public const int Tokens = 16;

    /// <summary>Pages that positions take.</summary>
    public static int Count(int positions) => (positions + Tokens - 1) / Tokens;
}

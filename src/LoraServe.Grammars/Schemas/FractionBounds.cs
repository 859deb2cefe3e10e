namespace LoraServe.Grammars.Schemas;

/// <summary>What the digits after a point are between; null where a bound does not matter any more.</summary>
/// <param name="Low">Digits of the lower bound, without zeros at their end.</param>
/// <param name="IsLowIncluded">Whether it is one of the numbers itself.</param>
/// <param name="High">Digits of the upper bound, without zeros at their end.</param>
/// <param name="IsHighIncluded">Whether it is one of the numbers itself.</param>
internal readonly record struct FractionBounds(string? Low, bool IsLowIncluded, string? High, bool IsHighIncluded)
{
    /// <summary>Any digits.</summary>
    public static FractionBounds Free { get; } = new(null, true, null, true);

    /// <summary>Whether it may end here, as if zeros followed.</summary>
    public bool HoldsZero => (Low is null || (Low.Length == 0 && IsLowIncluded)) && (High is null || High.Length > 0 || IsHighIncluded);

    /// <summary>The least and the greatest digit that may come next; the greatest is −1 where none may.</summary>
    public (int Low, int High) Digits => (
        Low is null or "" ? 0 : Low[0] - '0',
        High is null ? 9 : High.Length > 0 ? High[0] - '0' : IsHighIncluded ? 0 : -1);

    /// <summary>What the digits after one of those are between.</summary>
    public FractionBounds After(int digit)
    {
        (int low, int high) = Digits;
        string? restLow = Low is null || digit > low ? null : Low.Length == 0 ? "" : Low[1..];
        string? restHigh = High is null || digit < high ? null : High.Length == 0 ? "" : High[1..];
        restLow = restLow is "" && IsLowIncluded ? null : restLow;
        return new FractionBounds(restLow, restLow is null || IsLowIncluded, restHigh, restHigh is null || IsHighIncluded);
    }
}

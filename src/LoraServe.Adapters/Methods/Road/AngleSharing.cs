namespace LoraServe.Adapters.Methods.Road;

/// <summary>Which elements of RoAd's 2×2 matrices share an angle and a scale.</summary>
internal enum AngleSharing
{
    /// <summary>All four of a pair: a rotation and a scale (road_1).</summary>
    Pair,

    /// <summary>Both that make an output (road_2).</summary>
    Output,

    /// <summary>None (road_4).</summary>
    None,
}

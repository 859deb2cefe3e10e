using LoraServe.Adapters.Merging;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces;

/// <summary>How adapters become one, as callers say it in PEFT's words.</summary>
internal static class CombinationSettings
{
    /// <param name="method">PEFT's name of the method.</param>
    /// <param name="density">Share of entries kept; null: all.</param>
    /// <param name="rank">Rank of the result; null: the largest of the adapters'.</param>
    /// <param name="majoritySign">How TIES elects signs; empty for the usual way.</param>
    /// <param name="seed">Of what DARE drops.</param>
    /// <exception cref="EngineException">A word or a number is none of those that it can be.</exception>
    public static CombinationOptions Read(string method, float? density, uint? rank, string majoritySign, uint seed) => new()
    {
        Method = CombinationOptions.FindMethod(method)
            ?? throw Refused($"method is '{method}'; expected one of {string.Join(", ", CombinationOptions.MethodNames)}."),
        Density = density ?? 1,
        Rank = rank <= int.MaxValue ? (int?)rank : rank is null ? null : throw Refused($"rank is {rank}; the greatest value is {int.MaxValue}."),
        ElectByFrequency = majoritySign switch
        {
            "" or CombinationOptions.TotalSign => false,
            CombinationOptions.FrequencySign => true,
            _ => throw Refused($"majority_sign_method is '{majoritySign}'; expected {CombinationOptions.TotalSign} or {CombinationOptions.FrequencySign}."),
        },
        Seed = seed <= int.MaxValue ? (int)seed : throw Refused($"seed is {seed}; the greatest value is {int.MaxValue}."),
    };

    private static EngineException Refused(string message) => new(EngineError.InvalidRequest, message);
}

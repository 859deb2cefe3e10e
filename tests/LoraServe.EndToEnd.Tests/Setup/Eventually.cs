using System.Diagnostics;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>Waits for what another thread or process brings about.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public static async Task TrueAsync(Func<bool> condition, Func<string> failure)
    {
        long begun = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < s_patience, failure());
            await Task.Delay(10);
        }
    }
}

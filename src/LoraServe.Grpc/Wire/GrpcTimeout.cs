using System.Globalization;

namespace LoraServe.Grpc.Wire;

/// <summary>The value of grpc-timeout: at most eight digits and a unit.</summary>
internal static class GrpcTimeout
{
    private const long MaxDigits = 99_999_999;

    /// <summary>Rounds up to a unit that eight digits are enough for.</summary>
    public static string Format(TimeSpan timeout)
    {
        long microseconds = Math.Max(0, timeout.Ticks / TimeSpan.TicksPerMicrosecond);
        (long value, char unit) = microseconds switch
        {
            <= MaxDigits => (microseconds, 'u'),
            <= MaxDigits * 1_000 => (DivideUp(microseconds, 1_000), 'm'),
            <= MaxDigits * 1_000_000 => (DivideUp(microseconds, 1_000_000), 'S'),
            _ => (Math.Min(MaxDigits, DivideUp(microseconds, 3_600_000_000)), 'H'),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");
    }

    public static bool TryParse(string text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > 9 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int value))
        {
            return false;
        }

        long ticks = text[^1] switch
        {
            'H' => TimeSpan.TicksPerHour * value,
            'M' => TimeSpan.TicksPerMinute * value,
            'S' => TimeSpan.TicksPerSecond * value,
            'm' => TimeSpan.TicksPerMillisecond * value,
            'u' => TimeSpan.TicksPerMicrosecond * value,
            'n' => value / TimeSpan.NanosecondsPerTick,
            _ => -1,
        };
        timeout = new TimeSpan(ticks);
        return ticks >= 0;
    }

    private static long DivideUp(long value, long divisor) => (value + divisor - 1) / divisor;
}

using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace LoraServe.Server.Surfaces.Grpc.Calls;

/// <summary>Ends calls whose <c>grpc-timeout</c> is over when they come, or cannot be read; to Grpc.AspNetCore they are calls without a deadline.</summary>
internal sealed class DeadlineMiddleware(RequestDelegate next)
{
    private const string Header = "grpc-timeout";
    private const int MostDigits = 8;

    public Task InvokeAsync(HttpContext context)
    {
        if (!context.Request.Headers.TryGetValue(Header, out StringValues header))
        {
            return next(context);
        }

        string text = header.ToString();
        switch (Ticks(text))
        {
            case null:
                CallStatus.Set(context, StatusCode.Internal, $"{Header} has {text.Length} characters that are no timeout; expected one to eight digits and one of H, M, S, m, u and n.");
                return Task.CompletedTask;
            case 0:
                CallStatus.Set(context, StatusCode.DeadlineExceeded, "The call's deadline had passed when it came.");
                return Task.CompletedTask;
            default:
                return next(context);
        }
    }

    /// <summary>The timeout in ticks of 100 ns, rounded down; null for what is none.</summary>
    internal static long? Ticks(string text)
    {
        double unit = text.Length is > 1 and <= MostDigits + 1
            ? text[^1] switch
            {
                'H' => TimeSpan.TicksPerHour,
                'M' => TimeSpan.TicksPerMinute,
                'S' => TimeSpan.TicksPerSecond,
                'm' => TimeSpan.TicksPerMillisecond,
                'u' => TimeSpan.TicksPerMicrosecond,
                'n' => 1.0 / TimeSpan.NanosecondsPerTick,
                _ => 0,
            }
            : 0;
        return unit > 0 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? (long)(count * unit) : null;
    }
}

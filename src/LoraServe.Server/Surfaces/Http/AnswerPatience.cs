using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LoraServe.Server.Surfaces.Http;

/// <summary>Ends answers whose readers have stopped to read. Kestrel's rate has its time for all that was sent before: after some megabytes, hours.</summary>
internal static class AnswerPatience
{
    /// <summary>Waits until what was written has gone on its way, for as long as the surface's terms say.</summary>
    /// <exception cref="OperationCanceledException">The reader has gone, or was cut off.</exception>
    public static async Task WaitAsync(HttpContext context, ValueTask write)
    {
        if (write.IsCompletedSuccessfully)
        {
            return;
        }

        TimeSpan longest = context.Features.GetRequiredFeature<HttpTerms>().LongestPause;
        try
        {
            await write.AsTask().WaitAsync(longest, context.RequestServices.GetRequiredService<TimeProvider>()).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            context.Abort();
            throw new OperationCanceledException($"The reader took nothing for {longest.TotalSeconds:0} s.");
        }
    }
}

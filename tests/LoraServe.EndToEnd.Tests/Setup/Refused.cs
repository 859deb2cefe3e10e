using Grpc.Core;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>Expects a call to be refused.</summary>
internal static class Refused
{
    /// <summary>What tells a caller nothing, or more than is its business; no message may have it.</summary>
    private static readonly string[] s_foreign = ["(Parameter ", "Exception", "   at ", "Could not find", "LineNumber", "System.", Path.GetTempPath()];

    /// <summary>The refusal, whose message must have each of the given words.</summary>
    public static async Task<RpcException> WithAsync(StatusCode code, Func<Task> call, params string[] words)
    {
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(call);
        Assert.True(refusal.StatusCode == code, $"{refusal.StatusCode} instead of {code}: {refusal.Status.Detail}");
        if (refusal.Status.DebugException is null)
        {
            // The server said it; of a connection that broke the client speaks, in its library's words.
            Assert.All(s_foreign, foreign => Assert.DoesNotContain(foreign, refusal.Status.Detail, StringComparison.Ordinal));
        }

        Assert.All(words, word => Assert.Contains(word, refusal.Status.Detail, StringComparison.Ordinal));
        return refusal;
    }

    public static Task<RpcException> WithAsync<T>(StatusCode code, AsyncUnaryCall<T> call, params string[] words) =>
        WithAsync(code, async () => await call, words);
}

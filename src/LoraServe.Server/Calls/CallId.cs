using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Calls;

/// <summary>The id of the request that a call carries: its caller's, or the one that the server made up. Services leave it here for the log.</summary>
internal static class CallId
{
    private static readonly object s_key = new();

    public static void Attach(ServerCallContext context, string requestId) => context.UserState[s_key] = requestId;

    /// <summary>The id; empty where the call has none or did not come so far.</summary>
    public static string Of(HttpContext context) => context.Items.TryGetValue(s_key, out object? id) ? (string)id! : "";
}

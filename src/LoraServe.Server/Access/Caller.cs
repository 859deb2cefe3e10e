using Grpc.Core;
using LoraServe.Serving;

namespace LoraServe.Server.Access;

/// <summary>Where the interceptor leaves who calls, for the services.</summary>
internal static class Caller
{
    private static readonly object s_key = new();

    public static Principal Of(ServerCallContext context) => (Principal)context.UserState[s_key];

    /// <summary>The caller; null where the call was refused before anybody asked who it is from.</summary>
    public static Principal? Find(ServerCallContext context) => context.UserState.TryGetValue(s_key, out object? caller) ? (Principal)caller : null;

    public static void Attach(ServerCallContext context, Principal caller) => context.UserState[s_key] = caller;
}

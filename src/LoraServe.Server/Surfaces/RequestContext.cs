using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces;

/// <summary>What a surface knows of a call beside its message. It lies among the items of the HTTP request, where services and the log find it.</summary>
/// <param name="caller">Who calls.</param>
/// <param name="deadline">When the answer is of no more use; null: never.</param>
internal sealed class RequestContext(Principal caller, DateTimeOffset? deadline)
{
    private static readonly object s_key = new();

    public Principal Caller { get; } = caller;

    public DateTimeOffset? Deadline { get; } = deadline;

    /// <summary>The id of the request that the call carries: its caller's, or the one that the engine made up; empty where it has none or did not come so far.</summary>
    public string RequestId { get; set; } = "";

    /// <summary>The context of a call that was admitted.</summary>
    public static RequestContext Of(IDictionary<object, object?> items) => (RequestContext)items[s_key]!;

    /// <summary>The context; null where the call was refused before anybody asked who it is from.</summary>
    public static RequestContext? Find(IDictionary<object, object?> items) => items.TryGetValue(s_key, out object? context) ? (RequestContext?)context : null;

    public void Attach(IDictionary<object, object?> items) => items[s_key] = this;
}

using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces.OpenAi.Fields;

/// <summary>What an answer says of itself beside its content.</summary>
internal static class CallContext
{
    /// <summary>By which callers and logs know a request: what came in it, as vLLM takes it, and what goes out with the answer, as OpenAI sends it.</summary>
    private const string IdHeader = "X-Request-Id";

    /// <summary>The id that a caller gives its request; made up where it gives none.</summary>
    /// <exception cref="EngineException">It could not be given back: headers are ASCII.</exception>
    public static string RequestIdOf(HttpContext context) => context.Request.Headers[IdHeader] is not [{ Length: > 0 } own] ? Guid.NewGuid().ToString("n")
        : own.All(letter => letter is >= ' ' and <= '~') ? own
        : throw new EngineException(EngineError.InvalidRequest, $"The header {IdHeader} has a character that is not printable ASCII. Send letters, digits and signs, or leave it out.");

    /// <summary>Notes which request the call carries, for its answer's header and for the log.</summary>
    public static void Identify(HttpContext context, string requestId)
    {
        RequestContext.Of(context.Items).RequestId = requestId;
        context.Response.Headers[IdHeader] = requestId;
    }

    public static Principal CallerOf(HttpContext context) => RequestContext.Of(context.Items).Caller;
}

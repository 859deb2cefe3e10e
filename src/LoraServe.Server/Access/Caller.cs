using System.Security.Claims;
using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Access;

/// <summary>Who calls, where ASP.NET Core keeps it.</summary>
/// <param name="principal">Who it is.</param>
internal sealed class Caller(Principal principal) : ClaimsIdentity([new Claim(ClaimTypes.Name, principal.Tenant)], AccessHandler.Scheme)
{
    private static readonly object s_refusal = new();

    /// <summary>Who it is.</summary>
    public Principal Principal { get; } = principal;

    /// <summary>The caller of any request over HTTP, whatever its surface.</summary>
    /// <exception cref="EngineException"><see cref="EngineError.Unauthenticated"/>.</exception>
    public static Principal Of(HttpContext context) => context.User.Identity is Caller caller ? caller.Principal : throw (EngineException)context.Items[s_refusal]!;

    /// <summary>Keeps why it is not known who calls, for whoever must know: ASP.NET Core itself keeps successes only.</summary>
    public static void Refuse(HttpContext context, EngineException refusal) => context.Items[s_refusal] = refusal;
}

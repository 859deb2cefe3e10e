using System.Security.Claims;
using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LoraServe.Server.Access;

/// <summary>Finds out who sends a request, by its key. It refuses nobody: a surface asks <see cref="Caller"/> where it must know, and refuses in its own words.</summary>
internal sealed class AccessHandler(CallerDirectory callers) : IAuthenticationHandler
{
    /// <summary>What comes before a key.</summary>
    public const string Scheme = "Bearer";

    private HttpContext _context = null!; // from InitializeAsync, which comes first

    public static void AddTo(IServiceCollection services, AccessOptions access)
    {
        // The core alone: all of AddAuthentication keeps keys for cookies in the user's home.
        services.AddAuthenticationCore(authentication =>
        {
            authentication.DefaultScheme = Scheme;
            authentication.AddScheme<AccessHandler>(Scheme, displayName: null);
        });
        services.AddSingleton(new CallerDirectory(access));
        services.AddTransient<AccessHandler>();
    }

    public Task InitializeAsync(AuthenticationScheme scheme, HttpContext context)
    {
        _context = context;
        return Task.CompletedTask;
    }

    public Task<AuthenticateResult> AuthenticateAsync()
    {
        (Principal? caller, EngineException? refusal) = callers.Find(_context.Request.Headers.Authorization);
        if (caller is not null)
        {
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new Caller(caller)), Scheme)));
        }

        Caller.Refuse(_context, refusal!);
        return Task.FromResult(AuthenticateResult.Fail(refusal!));
    }

    public Task ChallengeAsync(AuthenticationProperties? properties)
    {
        _context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        _context.Response.Headers.WWWAuthenticate = Scheme;
        return Task.CompletedTask;
    }

    public Task ForbidAsync(AuthenticationProperties? properties)
    {
        _context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }
}

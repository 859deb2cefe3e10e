using Grpc.Core;
using LoraServe.Server.Access;
using LoraServe.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Prometheus;

namespace LoraServe.Server.Metrics;

/// <summary><c>/metrics</c>. Who asks decides whether it names the adapters of tenants.</summary>
internal sealed class MetricsPage : IDisposable
{
    /// <summary>What all adapters of tenants are called where they have no names.</summary>
    private const string Private = "private";

    private readonly AccessOptions _access;
    private readonly CallerDirectory _callers;
    private readonly MeterFeed _named;
    private readonly MeterFeed _unnamed;

    public MetricsPage(InferenceEngine engine, AccessOptions access, CallerDirectory callers)
    {
        _access = access;
        _callers = callers;
        _named = FeedOf(engine, MetricNames.Value);

        // A tag says itself whether it may be shown, since a name can have another owner tomorrow.
        _unnamed = access.Keys.Count == 0 ? _named : FeedOf(engine, value => value is AdapterLabel { IsOwned: true } ? Private : MetricNames.Value(value));
    }

    public void Dispose()
    {
        _named.Dispose();
        _unnamed.Dispose();
    }

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequestDelegate named = PageOf(_named);
        RequestDelegate unnamed = PageOf(_unnamed);
        endpoints.MapGet("/metrics", async context =>
        {
            try
            {
                await (MayReadNames(context.Request.Headers.Authorization) ? named : unnamed)(context).ConfigureAwait(false);
            }
            catch (RpcException refusal)
            {
                context.Response.Headers.WWWAuthenticate = "Bearer";
                await RefuseAsync(context, StatusCodes.Status401Unauthorized, refusal.Status.Detail).ConfigureAwait(false);
            }
            catch (EngineException refusal)
            {
                await RefuseAsync(context, StatusCodes.Status403Forbidden, refusal.Message).ConfigureAwait(false);
            }
        });

        RequestDelegate PageOf(MeterFeed feed) =>
            endpoints.CreateApplicationBuilder().UseMetricServer(settings => settings.Registry = feed.Registry, url: null).Build();
    }

    private static MeterFeed FeedOf(InferenceEngine engine, Func<object?, string> spell) =>
        new(instrument => instrument.Meter.Name == EngineMetrics.MeterName && instrument.Meter.Scope == engine, spell);

    private static Task RefuseAsync(HttpContext context, int status, string reason)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync($"{reason}\n", context.RequestAborted);
    }

    /// <summary>Whether a caller reads the page with names; false: the one without.</summary>
    /// <param name="authorization">The header's value; null where there is none.</param>
    /// <exception cref="RpcException">UNAUTHENTICATED: a key is needed, or the one that came is unknown.</exception>
    /// <exception cref="EngineException">The page is for administrators only.</exception>
    private bool MayReadNames(string? authorization)
    {
        // A wrong key is refused also where none is needed: its owner should hear of the mistake.
        if (authorization is null && _access.Metrics == MetricsAccess.Anyone)
        {
            return false;
        }

        Principal caller = _callers.Find(authorization);
        if (_access.Metrics == MetricsAccess.Admins)
        {
            caller.RequireAdmin("read /metrics");
        }

        return caller.IsAdmin;
    }
}

using LoraServe.Server.Access;
using LoraServe.Server.Surfaces;
using LoraServe.Serving;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Requests;
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
    private readonly MeterFeed _named;
    private readonly MeterFeed _unnamed;

    public MetricsPage(InferenceEngine engine, AccessOptions access)
    {
        _access = access;
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
                await (MayReadNames(context) ? named : unnamed)(context).ConfigureAwait(false);
            }
            catch (EngineException refusal)
            {
                await HttpRefusal.WriteAsync(context, refusal).ConfigureAwait(false);
            }
        });

        RequestDelegate PageOf(MeterFeed feed) =>
            endpoints.CreateApplicationBuilder().UseMetricServer(settings => settings.Registry = feed.Registry, url: null).Build();
    }

    private static MeterFeed FeedOf(InferenceEngine engine, Func<object?, string> spell) =>
        new(instrument => instrument.Meter.Name == EngineMetrics.MeterName && instrument.Meter.Scope == engine, spell);

    /// <summary>Whether a caller reads the page with names; false: the one without.</summary>
    /// <exception cref="EngineException">A key is needed, the one that came is unknown, or the page is for administrators only.</exception>
    private bool MayReadNames(HttpContext context)
    {
        // A wrong key is refused also where none is needed: its owner should hear of the mistake.
        if (context.Request.Headers.Authorization.Count == 0 && _access.Metrics == MetricsAccess.Anyone)
        {
            return false;
        }

        Principal caller = Caller.Of(context);
        if (_access.Metrics == MetricsAccess.Admins)
        {
            caller.RequireAdmin("read /metrics");
        }

        return caller.IsAdmin;
    }
}

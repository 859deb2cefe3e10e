using System.Net;
using System.Text;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Serving.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoraServe.EndToEnd.Tests.Metrics;

/// <summary>What a collector of metrics gets.</summary>
public class OtlpTests
{
    [Fact]
    public async Task Export_ToACollector_HasTheInstruments()
    {
        var received = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        await using WebApplication collector = builder.Build();
        collector.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            Assert.Equal("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", context.Request.Path);
            received.TrySetResult(body.ToArray());
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(new byte[5]); // an empty message
            context.Response.AppendTrailer("grpc-status", "0");
        });
        await collector.StartAsync();

        var endpoint = new Uri(collector.Urls.First());
        await using (TestServer server = await TestServer.StartTinyAsync(server: options => options.OtlpEndpoint = endpoint))
        {
            await server.LoadAsync(("exported-adapter", 1));
            await server.AskAsync(Ask.For("exported-adapter"));
        } // which sends what it has

        string export = Encoding.Latin1.GetString(await received.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains(EngineMetrics.MeterName, export, StringComparison.Ordinal);
        Assert.Contains(EngineMetrics.GeneratedTokens, export, StringComparison.Ordinal);
        Assert.Contains(EngineMetrics.TimeToFirstToken, export, StringComparison.Ordinal);
        Assert.Contains("exported-adapter", export, StringComparison.Ordinal);
    }
}

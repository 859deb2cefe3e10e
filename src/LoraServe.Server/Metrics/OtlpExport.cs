using LoraServe.Serving.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace LoraServe.Server.Metrics;

/// <summary>Sends the instruments to a collector over OTLP (gRPC).</summary>
internal static class OtlpExport
{
    public static MeterProvider Start(Uri endpoint) =>
        Sdk.CreateMeterProviderBuilder()
            .AddMeter(EngineMetrics.MeterName)
            .AddOtlpExporter(exporter => exporter.Endpoint = endpoint)
            .Build();
}

using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using LoraServe.V1;

namespace LoraServe.Client;

/// <summary>What <see cref="LoraServeClientOptions"/> mean for a channel, whoever makes it.</summary>
internal static class Connection
{
    private const int LongestBackoffs = 16;

    /// <summary>
    /// Calls that would do their work twice if their first answer got lost: UNAVAILABLE may be said by a connection that broke after the work.
    /// </summary>
    private static readonly (string Service, string Method)[] s_changes =
    [
        (V1.Adapters.Descriptor.FullName, nameof(V1.Adapters.AdaptersClient.Load)),
        (V1.Adapters.Descriptor.FullName, nameof(V1.Adapters.AdaptersClient.Upload)),
        (V1.Adapters.Descriptor.FullName, nameof(V1.Adapters.AdaptersClient.Unload)),
        (V1.Adapters.Descriptor.FullName, nameof(V1.Adapters.AdaptersClient.Merge)),
        (Training.Descriptor.FullName, nameof(Training.TrainingClient.UploadData)),
        (Training.Descriptor.FullName, nameof(Training.TrainingClient.Start)),
        (Training.Descriptor.FullName, nameof(Training.TrainingClient.Resume)),
    ];

    public static SocketsHttpHandler Handler(LoraServeClientOptions options) => new()
    {
        EnableMultipleHttp2Connections = true,
        SslOptions = { RemoteCertificateValidationCallback = options.CertificateValidation },
    };

    public static void Configure(GrpcChannelOptions channel, LoraServeClientOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxAttempts, 1, nameof(options.MaxAttempts));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.RetryBackoff, TimeSpan.Zero, nameof(options.RetryBackoff));
        channel.MaxReceiveMessageSize = options.MaxReceiveMessageBytes;
        channel.MaxRetryAttempts = options.MaxAttempts;
        if (options.MaxAttempts > 1)
        {
            channel.ServiceConfig = new ServiceConfig { MethodConfigs = { Repeatable(options), Changes(options) } };
        }
    }

    private static MethodConfig Repeatable(LoraServeClientOptions options) => new()
    {
        Names = { MethodName.Default },
        RetryPolicy = Policy(options, StatusCode.Unavailable, StatusCode.ResourceExhausted),
    };

    private static MethodConfig Changes(LoraServeClientOptions options)
    {
        var config = new MethodConfig { RetryPolicy = Policy(options, StatusCode.ResourceExhausted) };
        foreach ((string service, string method) in s_changes)
        {
            config.Names.Add(new MethodName { Service = service, Method = method });
        }

        return config;
    }

    private static RetryPolicy Policy(LoraServeClientOptions options, params ReadOnlySpan<StatusCode> codes)
    {
        var policy = new RetryPolicy { MaxAttempts = options.MaxAttempts, InitialBackoff = options.RetryBackoff, MaxBackoff = LongestBackoffs * options.RetryBackoff, BackoffMultiplier = 2 };
        foreach (StatusCode code in codes)
        {
            policy.RetryableStatusCodes.Add(code);
        }

        return policy;
    }
}

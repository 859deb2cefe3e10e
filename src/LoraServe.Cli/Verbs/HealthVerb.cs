using System.CommandLine;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using LoraServe.Cli.Arguments;

namespace LoraServe.Cli.Verbs;

/// <summary><c>loraserve health</c>: whether a server serves, for probes of containers.</summary>
internal static class HealthVerb
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(2);

    public static Command Create()
    {
        var address = new Option<string>("--address") { Description = "The server.", DefaultValueFactory = _ => "http://localhost:8080", HelpName = "URL" };
        var verb = new Command("health", "Ask a server whether it serves; exit code 0 if it does.") { address };
        verb.SetAction(async (arguments, cancellationToken) =>
        {
            string url = arguments.GetValue(address)!;
            using GrpcChannel channel = GrpcChannel.ForAddress(ServerAddress.Parse(url));
            try
            {
                HealthCheckResponse answer = await new Health.HealthClient(channel)
                    .CheckAsync(new HealthCheckRequest(), deadline: DateTime.UtcNow + s_timeout, cancellationToken: cancellationToken).ConfigureAwait(false);
                await arguments.InvocationConfiguration.Output.WriteLineAsync($"{url}: {answer.Status}").ConfigureAwait(false);
                return answer.Status == HealthCheckResponse.Types.ServingStatus.Serving ? 0 : 1;
            }
            catch (RpcException exception)
            {
                throw ServerAddress.Failure(url, exception);
            }
        });
        return verb;
    }
}

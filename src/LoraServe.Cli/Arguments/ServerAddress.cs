using Grpc.Core;
using LoraServe.Cli.Mistakes;

namespace LoraServe.Cli.Arguments;

/// <summary>The server that a verb talks to, and what is said when it does not answer.</summary>
internal static class ServerAddress
{
    /// <exception cref="UsageException">The text is no address of a server.</exception>
    public static Uri Parse(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"
        ? uri
        : throw new UsageException($"--address is '{text}'; expected a URL such as http://localhost:8080.");

    /// <summary>A call that failed, in words.</summary>
    public static CommandException Failure(string text, RpcException failure) => new(failure.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded
        ? $"{text}: no server answers there. Is it running, and is this its gRPC port?"
        : $"{text}: {failure.Status.Detail}");
}

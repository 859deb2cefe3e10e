using LoraServe.Server.Options;

namespace LoraServe.Server.Surfaces.Http;

/// <summary>On what terms a surface takes requests over plain HTTP; a feature of each of its requests.</summary>
/// <param name="Shape">How it says that one failed.</param>
/// <param name="MaxBodyBytes">Most bytes of a body.</param>
/// <param name="LongestPause">How long an answer waits for its reader.</param>
/// <param name="WithTlsOnly">Whether requests must come by TLS: where the server has it, nobody's keys travel without.</param>
internal sealed record HttpTerms(HttpShape Shape, int MaxBodyBytes, TimeSpan LongestPause, bool WithTlsOnly)
{
    /// <summary>The terms of a server, in a surface's shape.</summary>
    public static HttpTerms Of(ServerOptions options, HttpShape shape) => new(shape, options.MaxReceiveMessageBytes, options.MaxUploadPause, options.CertificateFile is not null);
}

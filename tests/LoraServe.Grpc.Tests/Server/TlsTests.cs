using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;

namespace LoraServe.Grpc.Tests.Server;

public sealed class TlsTests
{
    [Fact]
    public async Task Tls_CertificateAcceptedByItsThumbprint_CallsWork()
    {
        using X509Certificate2 certificate = CreateCertificate();
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(certificate: certificate);
        Assert.Equal("x", (await Client(server, certificate.GetCertHashString()).SayAsync(new EchoRequest { Text = "x" })).Text);
    }

    [Fact]
    public async Task Tls_UnknownCertificate_IsUnavailable()
    {
        using X509Certificate2 certificate = CreateCertificate();
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(certificate: certificate);
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await Client(server, "another").SayAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
    }

    [Fact]
    public async Task Http1_WithGrpcContent_IsToldToUpgrade()
    {
        using X509Certificate2 certificate = CreateCertificate();
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(certificate: certificate);
        using var client = new HttpClient(Handler(certificate.GetCertHashString()));
        using var content = new ByteArrayContent([0, 0, 0, 0, 0]);
        content.Headers.ContentType = new("application/grpc");
        using HttpResponseMessage response = await client.PostAsync(new Uri(server.Address, "/loraserve.testing.Echo/Say"), content);
        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
    }

    private static Echo.EchoClient Client(GrpcTestServer server, string thumbprint) =>
        server.Client(new GrpcChannelOptions { HttpHandler = Handler(thumbprint), DisposeHttpClient = true });

    private static SocketsHttpHandler Handler(string thumbprint) => new()
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == thumbprint,
        },
    };

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}

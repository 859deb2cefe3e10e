using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using LoraServe.Client;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Exchange;

/// <summary>A server with a certificate of its own.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly X509Certificate2 _certificate;
    private readonly string _certificateFile;
    private readonly string _keyFile;

    public TlsTests()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        _certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        _certificateFile = _folder.At("certificate.pem");
        _keyFile = _folder.At("key.pem");
        File.WriteAllText(_certificateFile, _certificate.ExportCertificatePem());
        File.WriteAllText(_keyFile, key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Call_CertificateThatTheClientAccepts_IsAnswered()
    {
        await using TestServer server = await StartAsync();
        using LoraServeClient client = Connect(server, accepts: true);
        Assert.Equal("https", server.Host.Address.Scheme);
        Assert.Equal(10, (await client.Inference.GenerateAsync(Ask.For(""))).Choices[0].TokenIds.Count);
    }

    [Fact]
    public async Task Call_CertificateThatItDoesNotAccept_IsNotMade()
    {
        await using TestServer server = await StartAsync();
        using LoraServeClient client = Connect(server, accepts: false);
        await Refused.WithAsync(StatusCode.Internal, client.Inference.ModelInfoAsync(new ModelInfoRequest()), "certificate");
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Rest_OnThePortOfGrpc_IsAnsweredInEitherHttpAndNotInTheClear(string version)
    {
        await using TestServer server = await StartAsync();
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == _certificate.GetCertHashString() };
        using var client = new HttpClient(handler) { DefaultRequestVersion = new Version(version), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        Assert.Contains("\"id\":\"model\"", await client.GetStringAsync(new Uri(server.Host.Address, "v1/models")), StringComparison.Ordinal);
        using var rest = new RestClient(server);
        RestAnswer clear = await rest.GetAsync("v1/models");
        Assert.Equal(403, clear.Status);
        Assert.Contains("TLS", clear.Message, StringComparison.Ordinal);
    }

    private Task<TestServer> StartAsync() => TestServer.StartTinyAsync(server: options =>
    {
        options.CertificateFile = _certificateFile;
        options.CertificateKeyFile = _keyFile;
    });

    private LoraServeClient Connect(TestServer server, bool accepts) => new(server.Host.Address, new LoraServeClientOptions
    {
        MaxAttempts = 1,
        CertificateValidation = (_, certificate, _, _) => accepts && certificate?.GetCertHashString() == _certificate.GetCertHashString(),
    });
}

using System.Net;
using System.Security.Cryptography;
using System.Text;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Server.Access;

namespace LoraServe.EndToEnd.Tests.Metrics;

/// <summary>Who reads the page, and whose adapters it names to them.</summary>
public class MetricsAccessTests
{
    [Theory]
    [InlineData(MetricsAccess.Anyone, null, HttpStatusCode.OK)]
    [InlineData(MetricsAccess.Anyone, "tenant", HttpStatusCode.OK)]
    [InlineData(MetricsAccess.Anyone, "admin", HttpStatusCode.OK)]
    [InlineData(MetricsAccess.Anyone, "guessed", HttpStatusCode.Unauthorized)]
    [InlineData(MetricsAccess.Keys, null, HttpStatusCode.Unauthorized)]
    [InlineData(MetricsAccess.Keys, "tenant", HttpStatusCode.OK)]
    [InlineData(MetricsAccess.Keys, "admin", HttpStatusCode.OK)]
    [InlineData(MetricsAccess.Admins, null, HttpStatusCode.Unauthorized)]
    [InlineData(MetricsAccess.Admins, "tenant", HttpStatusCode.Forbidden)]
    [InlineData(MetricsAccess.Admins, "admin", HttpStatusCode.OK)]
    public async Task Page_IsReadByWhoTheSettingAllows_AndNamesTenantsAdaptersToAdministratorsOnly(MetricsAccess setting, string? key, HttpStatusCode expected)
    {
        await using TestServer server = await TestServer.StartTinyAsync(access: Access(setting));
        await server.ClientWith("tenant").UploadAdapterAsync("of-tenant", TinyFiles.WriteAdapter(Path.Combine(server.Outside, "a"), 1));
        await server.ClientWith("tenant").UploadAdapterAsync("another", TinyFiles.WriteAdapter(Path.Combine(server.Outside, "b"), 2));
        server.WriteAdapter("shared", 3);
        foreach (string adapter in new[] { "of-tenant", "another", "shared+of-tenant", "shared", "" })
        {
            await server.ClientWith("tenant").Inference.GenerateAsync(Ask.For(adapter));
        }

        (HttpStatusCode status, string page) = await ReadAsync(server, key is null ? [] : [$"Bearer {key}"]);

        Assert.Equal(expected, status);
        if (status == HttpStatusCode.OK)
        {
            string[] named = key == "admin" ? ["of-tenant", "another", "shared+of-tenant"] : [];
            Assert.All(named, name => Assert.Contains($"loraserve_engine_requests_total{{adapter=\"{name}\",outcome=\"completed\"}} 1\n", page, StringComparison.Ordinal));
            Assert.Equal(named.Length > 0, page.Contains("of-tenant", StringComparison.Ordinal));
            Assert.Equal(named.Length == 0, page.Contains("loraserve_engine_requests_total{adapter=\"private\",outcome=\"completed\"} 3\n", StringComparison.Ordinal));
            Assert.Contains("loraserve_engine_requests_total{adapter=\"shared\",outcome=\"completed\"} 1\n", page, StringComparison.Ordinal);
            Assert.Contains("loraserve_engine_requests_total{adapter=\"\",outcome=\"completed\"} 1\n", page, StringComparison.Ordinal);
        }
        else
        {
            Assert.DoesNotContain("loraserve_", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Page_AskedForWithTwoKeys_IsRefused()
    {
        await using TestServer server = await TestServer.StartTinyAsync(access: Access(MetricsAccess.Anyone));

        (HttpStatusCode status, _) = await ReadAsync(server, ["Bearer tenant", "Bearer admin"]);

        Assert.Equal(HttpStatusCode.Unauthorized, status);
    }

    [Fact]
    public async Task Page_OfAServerWithoutKeys_IsEverybodys()
    {
        var access = new AccessOptions { Metrics = MetricsAccess.Admins };
        await using TestServer server = await TestServer.StartTinyAsync(access: access);

        (HttpStatusCode status, string page) = await ReadAsync(server, []);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("loraserve_kv_pages", page, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Status, string Page)> ReadAsync(TestServer server, string[] authorization)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Host.HttpAddress, "metrics"));
        foreach (string value in authorization)
        {
            request.Headers.TryAddWithoutValidation("authorization", value);
        }

        using HttpResponseMessage response = await http.SendAsync(request);
        Assert.Equal(response.StatusCode == HttpStatusCode.Unauthorized, response.Headers.WwwAuthenticate.ToString() == "Bearer");
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static AccessOptions Access(MetricsAccess metrics)
    {
        var options = new AccessOptions { Metrics = metrics };
        foreach (string name in new[] { "tenant", "admin" })
        {
            options.Keys.Add(new AccessKey
            {
                Sha256 = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name))),
                Tenant = name,
                Admin = name == "admin",
            });
        }

        return options;
    }
}

using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>Sends JSON and reads JSON, as it is.</summary>
internal sealed class RestClient : IDisposable
{
    private readonly HttpClient _client;

    public RestClient(TestServer server, string? key = null)
    {
        _client = new HttpClient { BaseAddress = server.Host.HttpAddress, Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
    }

    public Task<RestAnswer> PostAsync(string path, string json, string contentType = "application/json", params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, Encoding.UTF8.GetBytes(json), contentType, headers);

    public Task<RestAnswer> PostAsync(string path, JsonObject json) => PostAsync(path, json.ToJsonString());

    public Task<RestAnswer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null, "");

    public async Task<RestAnswer> SendAsync(HttpMethod method, string path, byte[]? body, string contentType, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = Request(method, path, body, contentType);
        foreach ((string name, string value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using HttpResponseMessage response = await _client.SendAsync(request);
        return new RestAnswer(
            (int)response.StatusCode,
            response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated).ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            await response.Content.ReadAsStringAsync());
    }

    /// <summary>The data of each event of a stream, as it comes.</summary>
    public async IAsyncEnumerable<string> EventsAsync(string path, JsonObject json, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using HttpRequestMessage request = Request(HttpMethod.Post, path, Encoding.UTF8.GetBytes(json.ToJsonString()), "application/json");
        using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.ToString());
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            Assert.StartsWith("data: ", line, StringComparison.Ordinal);
            yield return line["data: ".Length..];
            Assert.Equal("", await reader.ReadLineAsync(cancellationToken));
        }
    }

    /// <summary>A whole stream, which must end well.</summary>
    public async Task<List<JsonElement>> StreamAsync(string path, JsonObject json)
    {
        json["stream"] = true;
        List<string> events = [];
        await foreach (string data in EventsAsync(path, json))
        {
            events.Add(data);
        }

        Assert.Equal("[DONE]", events[^1]);
        return [.. events.SkipLast(1).Select(data => JsonElement.Parse(data))];
    }

    public void Dispose() => _client.Dispose();

    private static HttpRequestMessage Request(HttpMethod method, string path, byte[]? body, string contentType)
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new ByteArrayContent(body) };
        if (contentType.Length > 0)
        {
            request.Content!.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }

        return request;
    }
}

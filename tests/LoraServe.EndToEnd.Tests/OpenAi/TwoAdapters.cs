using LoraServe.EndToEnd.Tests.Setup;

namespace LoraServe.EndToEnd.Tests.OpenAi;

/// <summary>Tests of a server with the adapters <c>red</c> and <c>blue</c>.</summary>
public abstract class TwoAdapters : IAsyncLifetime, IDisposable
{
    private TestServer? _server;
    private RestClient? _rest;

    private protected TestServer Server => _server!;

    private protected RestClient Rest => _rest!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartTinyAsync();
        await _server.LoadAsync(("red", 1), ("blue", 2));
        _rest = new RestClient(_server);
    }

    public async Task DisposeAsync() => await Server.DisposeAsync();

    public void Dispose()
    {
        _rest?.Dispose();
        GC.SuppressFinalize(this);
    }
}

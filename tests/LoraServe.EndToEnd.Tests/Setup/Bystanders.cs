using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>Ordinary requests whose answers in a quiet server are known, to be asked again while something bad happens.</summary>
internal sealed class Bystanders
{
    private readonly TestServer _server;
    private readonly GenerateRequest[] _requests;
    private readonly Answer[] _quiet;

    private Bystanders(TestServer server, GenerateRequest[] requests, Answer[] quiet)
    {
        _server = server;
        _requests = requests;
        _quiet = quiet;
    }

    /// <summary>Asks for the base model and for each adapter, greedily and drawn, one request after another.</summary>
    public static async Task<Bystanders> AskQuietlyAsync(TestServer server, params string[] adapters)
    {
        GenerateRequest[] requests = [.. adapters.Prepend("").SelectMany((adapter, i) => new[]
        {
            Ask.For(adapter, seed: 100 + i, promptTokens: 20 + i),
            Ask.For(adapter, seed: 200 + i, promptTokens: 40 + i, temperature: 1),
        })];
        var quiet = new Answer[requests.Length];
        for (int i = 0; i < requests.Length; i++)
        {
            quiet[i] = await server.AskAsync(requests[i]);
        }

        return new Bystanders(server, requests, quiet);
    }

    /// <summary>Asks all of them again and again, at once, until the disturbance is over; every answer must be the quiet one.</summary>
    public async Task UndisturbedByAsync(Func<Task> disturbance)
    {
        Task happening = disturbance();
        do
        {
            Answer[] answers = await Task.WhenAll(_requests.Select(_server.AskAsync));
            Assert.Equal(_quiet, answers);
        }
        while (!happening.IsCompleted);
        await happening;
    }
}

using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>Adapters and prompts whose answers are known, so that an answer's digest says what its tokens must be.</summary>
internal sealed class KnownContents
{
    private readonly Dictionary<(string Digest, int Prompt), Answer> _answers = [];

    private KnownContents(string[] folders) => Folders = folders;

    /// <summary>PEFT directories below the adapter root, relative to it.</summary>
    public IReadOnlyList<string> Folders { get; }

    /// <summary>How many prompts there are. They begin alike, so that prefix caches have something to find.</summary>
    public static int Prompts => 4;

    /// <summary>Writes the adapters and asks each of them, and the base model, in a quiet server.</summary>
    public static async Task<KnownContents> LearnAsync(TestServer server, int count)
    {
        string[] folders = [.. Enumerable.Range(0, count).Select(i => $"content{i}")];
        var known = new KnownContents(folders);
        for (int i = 0; i < count; i++)
        {
            server.WriteAdapter(folders[i], 1000 + i, rank: 1 + i);
            await server.Client.Adapters.LoadAsync(new LoadAdapterRequest { Name = "learning", Path = folders[i] });
            await known.LearnAsync(server, "learning");
        }

        await server.Client.Adapters.UnloadAsync(new UnloadAdapterRequest { Name = "learning" });
        await known.LearnAsync(server, "");
        Assert.Equal(known._answers.Count, known._answers.Values.Select(answer => answer.Tokens).Distinct().Count());
        return known;
    }

    public static GenerateRequest Request(string adapter, int prompt)
    {
        GenerateRequest request = Ask.For(adapter, seed: 1, promptTokens: 40, tokens: 8);
        request.PromptTokenIds.Add((uint)(1 + prompt));
        return request;
    }

    /// <summary>Checks an answer against what its own digest promises.</summary>
    public void Check(Answer answer, int prompt)
    {
        Assert.True(_answers.TryGetValue((answer.Digest, prompt), out Answer? right), $"nobody published {answer.Digest}");
        Assert.Equal(right.Tokens, answer.Tokens);
    }

    private async Task LearnAsync(TestServer server, string adapter)
    {
        for (int prompt = 0; prompt < Prompts; prompt++)
        {
            Answer answer = await server.AskAsync(Request(adapter, prompt));
            _answers.Add((answer.Digest, prompt), answer);
        }
    }
}

using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.V1;

namespace LoraServe.Cli.Verbs.Demo;

/// <summary>A prompt for each adapter, of the kind that it was trained on where its name tells.</summary>
internal static class DemoPrompts
{
    private const int TinyPromptTokens = 8;
    private const string ChatPrompt = "Describe a small dragon that lives in a library.";

    private static readonly Dictionary<string, string> s_byTask = new()
    {
        ["sst2"] = "Review: a warm , funny and engaging film .\nSentiment:",
        ["agnews"] = "News: The central bank raised interest rates on Thursday as oil prices climbed.\nTopic:",
        ["banking77"] = "Customer: My card still has not arrived. Where is it?\nIntent:",
        ["snips"] = "Command: play some jazz by miles davis\nIntent:",
        ["e2e"] = "name[The Eagle], eatType[coffee shop], food[Japanese], area[riverside]\nDescription:",
    };

    /// <summary>What a person is shown of the prompt; empty where it is no text.</summary>
    public static string Shown(LoadedModel model, string adapter) =>
        model.Tokenizer is null ? "" : s_byTask.TryGetValue(adapter.Split('-')[0], out string? prompt) ? prompt[..prompt.IndexOf('\n', StringComparison.Ordinal)] : ChatPrompt;

    /// <summary>The request that shows what an adapter does.</summary>
    /// <param name="model">The base model.</param>
    /// <param name="adapter">The adapter's name; empty for the base model alone.</param>
    /// <param name="maxTokens">Most tokens of the answer.</param>
    public static GenerateRequest For(LoadedModel model, string adapter, int maxTokens)
    {
        var request = new GenerateRequest { Adapter = adapter, Sampling = new SamplingOptions { MaxTokens = (uint)maxTokens } };
        if (model.Tokenizer is null)
        {
            request.PromptTokenIds.AddRange(Enumerable.Range(0, TinyPromptTokens).Select(i => (uint)((i * 37) + adapter.Length) % (uint)model.Transformer.VocabularySize));
            return request;
        }

        if (s_byTask.TryGetValue(adapter.Split('-')[0], out string? prompt))
        {
            request.Prompt = prompt;
            request.Sampling.Stop.Add("\n");
        }
        else if (ChatFormat.Of(model.Text) is { } chat)
        {
            request.Prompt = chat.Render(new[] { new Dictionary<string, object?> { ["role"] = "user", ["content"] = ChatPrompt } });
            request.SkipSpecialTokensInPrompt = true;
        }
        else
        {
            request.Prompt = ChatPrompt;
        }

        return request;
    }
}

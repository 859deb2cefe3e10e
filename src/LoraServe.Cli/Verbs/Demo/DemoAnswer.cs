using System.Text;
using Grpc.Core;
using LoraServe.Client;
using LoraServe.V1;

namespace LoraServe.Cli.Verbs.Demo;

/// <summary>One request and what has come of its answer so far. One task fills it, another shows it.</summary>
/// <param name="request">The request.</param>
/// <param name="prompt">What a person is shown of its prompt.</param>
internal sealed class DemoAnswer(GenerateRequest request, string prompt)
{
    private readonly Lock _lock = new();
    private readonly StringBuilder _text = new();
    private readonly List<uint> _tokens = [];

    /// <summary>What the request calls its adapter; empty for the base model.</summary>
    public string Adapter => request.Adapter;

    /// <summary>What a person is shown of the prompt.</summary>
    public string Prompt => prompt;

    /// <summary>Tokens so far.</summary>
    public int Tokens
    {
        get
        {
            lock (_lock)
            {
                return _tokens.Count;
            }
        }
    }

    /// <summary>The answer so far on one line; token ids where the model has no text.</summary>
    public string Text
    {
        get
        {
            lock (_lock)
            {
                return _text.Length > 0 ? _text.ToString().ReplaceLineEndings(" ").Trim() : request.PromptTokenIds.Count > 0 ? string.Join(' ', _tokens) : "";
            }
        }
    }

    /// <summary>Sends the request and takes in what comes.</summary>
    public async Task RunAsync(LoraServeClient client, CancellationToken cancellationToken)
    {
        using AsyncServerStreamingCall<GenerateChunk> call = client.Inference.GenerateStream(request, cancellationToken: cancellationToken);
        await foreach (GenerateChunk chunk in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            lock (_lock)
            {
                _text.Append(chunk.Text);
                _tokens.AddRange(chunk.TokenIds);
            }
        }
    }
}

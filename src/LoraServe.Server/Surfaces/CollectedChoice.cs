using LoraServe.Models.Text.ToolCalls;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces;

/// <summary>One of the n answers to a request.</summary>
internal sealed class CollectedChoice
{
    /// <param name="echo">The prompt's text, where it comes in front of the answer's; else empty.</param>
    /// <param name="tokens">Its tokens, with their log-probabilities where those were asked for; none where none were to be generated.</param>
    /// <param name="reader">Reads tool calls out of it.</param>
    public CollectedChoice(string echo, IReadOnlyList<GeneratedToken> tokens, ChoiceReader reader)
    {
        var read = new ReadParts();
        foreach (AnswerPart part in tokens.SelectMany(token => reader.Read(token)))
        {
            read.Add(part);
        }

        Echo = echo;
        Tokens = tokens;
        Text = echo + read.Text;
        Calls = read.Calls;
        EndsInCalls = reader.EndsInCalls;
    }

    /// <summary>The prompt's text, where it comes in front of the answer's; else empty.</summary>
    public string Echo { get; }

    /// <summary>Its tokens.</summary>
    public IReadOnlyList<GeneratedToken> Tokens { get; }

    /// <summary>Its whole text, without tool calls; what was written of one that is none is among it.</summary>
    public string Text { get; }

    /// <summary>Its tool calls.</summary>
    public IReadOnlyList<ToolCall> Calls { get; }

    /// <summary>Whether it came to its own end with tool calls, all of them whole.</summary>
    public bool EndsInCalls { get; }

    /// <summary>Why it ended.</summary>
    public FinishReason Finish => Tokens.Count > 0 ? Tokens[^1].Finish : FinishReason.Length;
}

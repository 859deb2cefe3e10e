using System.Collections.Immutable;
using LoraServe.Templates;
using LoraServe.Tokenization;

namespace LoraServe.Models.Text;

/// <summary>Where an answer ends, decided here for training, serving and evaluation alike: what closes answers that are learnt also ends answers that are given.</summary>
/// <param name="Token">What closes an answer that no chat template closes; null where the files name no end.</param>
/// <param name="All">The tokens that end an answer: what generation settings, tokenizer and chat templates say, together.</param>
public sealed record AnswerEnd(int? Token, ImmutableArray<int> All)
{
    /// <summary>Decides.</summary>
    /// <param name="text">Tokenizer and chat templates.</param>
    /// <param name="configured">What the settings for generation name, in their order.</param>
    /// <param name="vocabularySize">Tokens of the model; others cannot occur.</param>
    public static AnswerEnd Of(ModelText text, IReadOnlyList<int> configured, int vocabularySize)
    {
        ArgumentNullException.ThrowIfNull(text);
        int? own = text.Tokenizer?.SpecialIds.Eos;
        int[] all = [.. configured.Concat(own is { } end ? [end] : []).Concat(Closings(text)).Where(token => token < vocabularySize).Distinct()];
        return new AnswerEnd(own < vocabularySize ? own : configured.Count > 0 ? configured[0] : null, [.. all]);
    }

    /// <summary>The tokens that end an answer besides the model's where an adapter brings its own chat templates: those that close its turns, and its end token.</summary>
    /// <param name="text">The model's.</param>
    /// <param name="adapter">What the adapter brings; null for nothing.</param>
    /// <param name="vocabularySize">Tokens of the model.</param>
    public static IReadOnlyList<int> Further(ModelText text, ModelText? adapter, int vocabularySize)
    {
        ArgumentNullException.ThrowIfNull(text);
        int? own = adapter?.EndTokenText is { } end ? text.Tokenizer?.TryGetId(end) : null;
        return adapter is null ? [] : [.. Closings(text.With(adapter)).Concat(own is { } token ? [token] : []).Where(token => token < vocabularySize).Distinct()];
    }

    /// <summary>The token with which the chat templates close an assistant's turn, with and without tools and tool calls; none where they cannot be rendered or close it with text alone.</summary>
    public static IReadOnlyList<int> Closings(ModelText text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Tokenizer is not { } tokenizer || FormatOf(text) is not { } format)
        {
            return [];
        }

        var answer = new Dictionary<string, object?> { ["role"] = "assistant", ["content"] = CallProbe.Value };
        return
        [
            .. from tools in new object?[] { null, CallProbe.Tools }
               from turn in new[] { answer, CallProbe.Turn }
               let closing = Closing(tokenizer, After([CallProbe.Question, turn], tools), turn == CallProbe.Turn)
               where closing is not null
               select closing.Value.Token,
        ];

        string After(object[] messages, object? tools)
        {
            try
            {
                string written = format.Write(messages, tools).Text;
                int at = written.LastIndexOf(CallProbe.Value, StringComparison.Ordinal);
                return at < 0 ? "" : written[(at + CallProbe.Value.Length)..];
            }
            catch (TemplateException)
            {
                // A template that does not take this conversation says nothing of how it would end.
                return "";
            }
        }
    }

    /// <summary>The token that closes a turn, and where its text ends.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="rest">What the template wrote behind what the assistant says.</param>
    /// <param name="hasCalls">Whether tool calls are among it, whose own tokens close nothing.</param>
    public static (int Token, int End)? Closing(Tokenizer tokenizer, string rest, bool hasCalls)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        int[] closing = [.. tokenizer.Encode(rest, addSpecialTokens: false).Where(Closes)];
        if (closing.Length == 0)
        {
            return null;
        }

        int token = hasCalls ? closing[^1] : closing[0];
        string text = tokenizer.TokenText(token)!;
        int at = hasCalls ? rest.LastIndexOf(text, StringComparison.Ordinal) : rest.IndexOf(text, StringComparison.Ordinal);

        // A normalizer may have made the token out of other characters; then it ends where the text does.
        return (token, at < 0 ? rest.TrimEnd().Length : at + text.Length);

        bool Closes(int token) => hasCalls ? tokenizer.IsSpecial(token) : tokenizer.IsAdded(token) && !string.IsNullOrWhiteSpace(tokenizer.TokenText(token));
    }

    private static ChatFormat? FormatOf(ModelText text)
    {
        try
        {
            return ChatFormat.Of(text);
        }
        catch (TemplateException)
        {
            return null;
        }
    }
}

using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Models.Config;
using LoraServe.Templates;
using LoraServe.Tokenization;

namespace LoraServe.Training.Data;

/// <summary>Turns rows into tokens the way the model is asked and answers when it is served.</summary>
/// <remarks>
/// Prompt and answer are tokenized apart and joined; the end token closes each answer and is learnt with it.
/// A prompt that is not templated begins with the model's begin token, where it has one.
/// The answer's special tokens are plain text: it cannot forge an end. Any number of threads may use it.
/// </remarks>
public sealed class RowTokenizer
{
    private readonly Tokenizer _tokenizer;
    private readonly Func<object, string>? _render;
    private readonly int[] _end;
    private readonly int _vocabularySize;

    internal RowTokenizer(Tokenizer tokenizer, int? endToken, Func<object, string>? render, int vocabularySize = int.MaxValue)
    {
        _tokenizer = tokenizer;
        _render = render;
        _vocabularySize = vocabularySize;
        EndToken = endToken;
        _end = endToken is { } end ? [end] : [];
    }

    /// <summary>What closes an answer; null where the model's files name no end token.</summary>
    public int? EndToken { get; }

    /// <summary>The one of a model.</summary>
    /// <exception cref="ModelFormatException">The model has no tokenizer.</exception>
    /// <exception cref="TemplateException">Its chat template is not valid.</exception>
    public static RowTokenizer Of(LoadedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Tokenizer tokenizer = model.Tokenizer ?? throw new ModelFormatException(model.Name, "has no tokenizer, so it cannot take text. Put tokenizer.json beside its weights.");
        ChatFormat? format = ChatFormat.Of(model);
        int? endToken = tokenizer.SpecialIds.Eos ?? (model.Generation.EndTokens is [var first, ..] ? first : null);
        return new RowTokenizer(tokenizer, endToken, format is null ? null : messages => format.Render(messages), model.Transformer.VocabularySize);
    }

    /// <summary>A row's prompts and answers: one, or one for each assistant turn of a conversation.</summary>
    /// <exception cref="TrainingDataException">A conversation is not for the model's chat template, or it has none.</exception>
    public IReadOnlyList<DataTurn> Turns(DataRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (row.Kind != DataRowKind.Conversation)
        {
            return [new DataTurn(row.Prompt, false, row.Answer)];
        }

        Func<object, string> render = _render ?? throw row.Wrong("has messages, but the model has no chat template. Write prompt and completion instead.");
        try
        {
            return
            [
                .. Enumerable.Range(0, row.Messages.Count).Where(i => DataRow.IsAssistant(row.Messages[i]))
                    .Select(i => new DataTurn(render(row.Messages.Take(i).ToArray()), true, row.Messages[i].GetProperty(DataRow.Content).GetString()!)),
            ];
        }
        catch (TemplateException exception)
        {
            throw row.Wrong($"the chat template does not take the messages: {exception.Message}", exception);
        }
    }

    /// <summary>The tokens of what comes before an answer.</summary>
    public int[] EncodePrompt(DataTurn turn)
    {
        ArgumentNullException.ThrowIfNull(turn);
        return _tokenizer.Encode(turn.Prompt, addSpecialTokens: !turn.IsTemplated, parseSpecialTokens: turn.IsTemplated);
    }

    /// <summary>The tokens of an answer, the end token included.</summary>
    public int[] EncodeAnswer(DataTurn turn)
    {
        ArgumentNullException.ThrowIfNull(turn);
        return [.. _tokenizer.Encode(turn.Answer, addSpecialTokens: false, parseSpecialTokens: false), .. _end];
    }

    /// <summary>A row as an example whose answers carry loss: the chosen one of a preference, all assistant turns of a conversation.</summary>
    /// <returns>Null where nothing that carries loss is left. The first token counts for nothing there: nothing comes before it.</returns>
    /// <exception cref="TrainingDataException">A conversation is not for the model's chat template, or it has none.</exception>
    internal TrainingExample? Encode(DataRow row, ExampleOptions options)
    {
        IReadOnlyList<DataTurn> turns = Turns(row);
        List<int> tokens = [];
        List<int> labels = [];
        for (int i = 0; i < turns.Count && tokens.Count < options.MaximumLength; i++)
        {
            string prompt = i == 0 ? turns[i].Prompt : Between(turns[i - 1], turns[i].Prompt) ?? throw row.Wrong(
                "the chat template writes earlier turns otherwise once others follow, so that one sequence cannot hold them all. Make a row for each assistant turn.");
            Append(EncodePrompt(turns[i] with { Prompt = prompt }), options.LabelsPrompts);
            Append(EncodeAnswer(turns[i]), isLabelled: true);
        }

        if (tokens.FindIndex(token => token >= _vocabularySize) is >= 0 and var stray)
        {
            throw row.Wrong($"becomes token {tokens[stray]}, and the model knows {_vocabularySize} tokens alone. Its tokenizer.json is another model's; put its own beside its weights.");
        }

        int kept = Math.Min(tokens.Count, options.MaximumLength);
        return labels.Take(kept).Skip(1).Any(label => label != TrainingExample.NoLabel)
            ? new TrainingExample([.. tokens.Take(kept)], [.. labels.Take(kept)])
            : null;

        void Append(int[] part, bool isLabelled)
        {
            tokens.AddRange(part);
            labels.AddRange(isLabelled ? part : Enumerable.Repeat(TrainingExample.NoLabel, part.Length));
        }
    }

    /// <summary>A preference row as two examples.</summary>
    /// <returns>Null where nothing that carries loss is left of either.</returns>
    /// <exception cref="TrainingDataException">The row has other fields.</exception>
    internal PreferenceExample? EncodePair(DataRow row, ExampleOptions options)
    {
        string rejected = row.Rejected ?? throw row.Wrong($"a row of kind {row.Kind}; expected prompt, chosen and rejected.");
        return Encode(row, options) is { } chosen && Encode(row with { Answer = rejected }, options) is { } other
            ? new PreferenceExample(chosen, other)
            : null;
    }

    /// <summary>What a later prompt of a conversation adds after an answer and its end token; null where it does not begin with them.</summary>
    private string? Between(DataTurn earlier, string prompt)
    {
        // Templates may trim answers or put white space around them.
        string answer = earlier.Answer.Trim();
        if (!prompt.StartsWith(earlier.Prompt, StringComparison.Ordinal)
            || !prompt.AsSpan(earlier.Prompt.Length).TrimStart().StartsWith(answer, StringComparison.Ordinal))
        {
            return null;
        }

        string after = prompt[(prompt.IndexOf(answer, earlier.Prompt.Length, StringComparison.Ordinal) + answer.Length)..];
        return EndToken is { } end && _tokenizer.TokenText(end) is { } text && after.TrimStart() is var trimmed && trimmed.StartsWith(text, StringComparison.Ordinal)
            ? trimmed[text.Length..]
            : after;
    }
}

using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Models.Config;
using LoraServe.Models.Text;
using LoraServe.Templates;
using LoraServe.Tokenization;

namespace LoraServe.Training.Data;

/// <summary>Turns rows into tokens the way the model is asked and answers when it is served.</summary>
/// <remarks>
/// A prompt and a completion are tokenized apart and joined; the end token closes the completion and is learnt with it.
/// A conversation's answers are what the chat template writes, with its closing token; where it writes none, the end token is learnt where the answer ends,
/// and stands in the sequence only where nothing follows.
/// A prompt that is not templated begins with the model's begin token, where it has one.
/// Special tokens in the words of an answer are plain text: they cannot forge an end. Any number of threads may use it.
/// </remarks>
public sealed class RowTokenizer
{
    private readonly Tokenizer _tokenizer;
    private readonly ChatFormat? _format;
    private readonly int[] _end;
    private readonly int _vocabularySize;

    internal RowTokenizer(Tokenizer tokenizer, int? endToken, ChatFormat? format, int vocabularySize = int.MaxValue)
    {
        _tokenizer = tokenizer;
        _format = format;
        _vocabularySize = vocabularySize;
        EndToken = endToken;
        _end = endToken is { } end ? [end] : [];
    }

    /// <summary>What closes an answer that no chat template closes; null where the model's files name no end token.</summary>
    public int? EndToken { get; }

    /// <summary>The one of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="adapter">What its adapter brings of text, which conversations are put through then; null for nothing.</param>
    /// <exception cref="ModelFormatException">The model has no tokenizer.</exception>
    /// <exception cref="TemplateException">Its chat template is not valid.</exception>
    public static RowTokenizer Of(LoadedModel model, ModelText? adapter = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        Tokenizer tokenizer = model.Tokenizer ?? throw new ModelFormatException(model.Name, "has no tokenizer, so it cannot take text. Put tokenizer.json beside its weights.");
        return new RowTokenizer(tokenizer, model.Generation.EndToken, ChatFormat.Of(model.Text.With(adapter)), model.Transformer.VocabularySize);
    }

    /// <summary>A row's prompts and answers: one, or one for each learnt turn of a conversation, of a preference of the chosen one.</summary>
    /// <exception cref="TrainingDataException">A conversation is not for the model's chat template, or it has none.</exception>
    public IReadOnlyList<DataTurn> Turns(DataRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (row.Conversation is not { } conversation)
        {
            return [new DataTurn(row.Prompt, false, row.Answer)];
        }

        if (_format is null)
        {
            return row.Answer.Length > 0
                ? [new DataTurn(row.Prompt, false, row.Answer)]
                : throw row.Wrong("has messages, but the model has no chat template. Write prompt and completion instead.");
        }

        try
        {
            return new ConversationTurns(_format, _tokenizer, row, conversation).Read();
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

    /// <summary>The tokens of an answer, its end included.</summary>
    public int[] EncodeAnswer(DataTurn turn)
    {
        ArgumentNullException.ThrowIfNull(turn);
        return turn.IsClosed ? EncodeWritten(turn) : [.. EncodeWritten(turn), .. _end];
    }

    /// <summary>A row as an example whose answers carry loss: the chosen one of a preference, the learnt turns of a conversation.</summary>
    /// <returns>Null where nothing that carries loss is left. The first token counts for nothing there: nothing comes before it.</returns>
    /// <exception cref="TrainingDataException">A conversation is not for the model's chat template, or it has none.</exception>
    internal TrainingExample? Encode(DataRow row, ExampleOptions options) => Encode(row, options, out _);

    /// <inheritdoc cref="Encode(DataRow, ExampleOptions)"/>
    /// <param name="row">The row.</param>
    /// <param name="options">How it becomes an example.</param>
    /// <param name="isLong">Whether it is longer than it may be.</param>
    internal TrainingExample? Encode(DataRow row, ExampleOptions options, out bool isLong)
    {
        IReadOnlyList<DataTurn> turns = Turns(row);
        isLong = false;
        if (turns.Count == 0)
        {
            return null;
        }

        List<int> tokens = [];
        List<int> labels = [];
        for (int i = 0; i < turns.Count && tokens.Count <= options.MaximumLength; i++)
        {
            string prompt = i == 0 ? turns[i].Prompt : Between(turns[i - 1], turns[i]) ?? throw row.Wrong(
                "the chat template writes earlier turns otherwise once others follow, so that one sequence cannot hold them all. Make a row for each assistant turn, or give earlier ones weight 0.");
            DataTurn turn = turns[i] with { Prompt = prompt };
            int before = tokens.Count;
            Append(EncodePrompt(turn), options.LabelsPrompts);
            if (i > 0 && !turns[i - 1].IsClosed && EndToken is { } end && before < labels.Count)
            {
                // The template writes no end here, so none stands in the sequence; the model learns that there is one.
                labels[before] = end;
            }

            Append(EncodeWritten(turn), isLabelled: true);
        }

        if (!turns[^1].IsClosed)
        {
            Append(_end, isLabelled: true);
        }

        if (tokens.FindIndex(token => token >= _vocabularySize) is >= 0 and var stray)
        {
            throw row.Wrong($"becomes token {tokens[stray]}, and the model knows {_vocabularySize} tokens alone. Its tokenizer.json is another model's; put its own beside its weights.");
        }

        isLong = tokens.Count > options.MaximumLength;
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
    internal PreferenceExample? EncodePair(DataRow row, ExampleOptions options) => EncodePair(row, options, out _);

    /// <inheritdoc cref="EncodePair(DataRow, ExampleOptions)"/>
    /// <param name="row">The row.</param>
    /// <param name="options">How it becomes an example.</param>
    /// <param name="isLong">Whether one of both is longer than it may be.</param>
    internal PreferenceExample? EncodePair(DataRow row, ExampleOptions options, out bool isLong)
    {
        DataRow other = row.Rejected is { } rejected ? row with { Answer = rejected }
            : row.RejectedConversation is { } conversation ? row with { Conversation = conversation }
            : throw row.Wrong($"a row of kind {row.Kind}; expected prompt, chosen and rejected.");
        TrainingExample? better = Encode(row, options, out bool isBetterLong);
        TrainingExample? worse = Encode(other, options, out bool isWorseLong);
        isLong = isBetterLong || isWorseLong;
        return better is not null && worse is not null ? new PreferenceExample(better, worse) : null;
    }

    /// <summary>What stands between an answer and the next; null where the next prompt does not begin with the answer and all before it.</summary>
    private static string? Between(DataTurn earlier, DataTurn later)
    {
        int length = earlier.Prompt.Length + earlier.Answer.Length;
        return later.Prompt.StartsWith(earlier.Prompt, StringComparison.Ordinal) && later.Prompt.AsSpan(earlier.Prompt.Length).StartsWith(earlier.Answer, StringComparison.Ordinal)
            ? later.Prompt[length..]
            : null;
    }

    /// <summary>The tokens of an answer as it is written: those that follow its prompt where both are one text, as they will stand before the next turn.</summary>
    private int[] EncodeWritten(DataTurn turn)
    {
        if (!turn.IsTemplated)
        {
            return _tokenizer.Encode(turn.Answer, addSpecialTokens: false, parseSpecialTokens: false);
        }

        if (turn.Words.Length > 0 && !_tokenizer.Encode(turn.Words, addSpecialTokens: false).AsSpan().SequenceEqual(_tokenizer.Encode(turn.Words, addSpecialTokens: false, parseSpecialTokens: false)))
        {
            int words = turn.Answer.IndexOf(turn.Words, StringComparison.Ordinal);
            return
            [
                .. _tokenizer.Encode(turn.Answer[..words], addSpecialTokens: false),
                .. _tokenizer.Encode(turn.Words, addSpecialTokens: false, parseSpecialTokens: false),
                .. _tokenizer.Encode(turn.Answer[(words + turn.Words.Length)..], addSpecialTokens: false),
            ];
        }

        int[] prompt = EncodePrompt(turn);
        int[] whole = _tokenizer.Encode(turn.Prompt + turn.Answer, addSpecialTokens: false);
        return whole.AsSpan().StartsWith(prompt) ? whole[prompt.Length..] : _tokenizer.Encode(turn.Answer, addSpecialTokens: false);
    }
}

using LoraServe.Grammars;
using LoraServe.Models.Config;
using LoraServe.Models.Forward;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Sampling;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving;

/// <summary>Checks requests and turns their texts into tokens, before anything is queued. A refusal names the field, what it is and what it can be.</summary>
internal sealed class RequestReader(
    EngineOptions options, GenerationDefaults generation, ITextCodec? codec, GrammarCache grammars, int vocabularySize, int contextLength, int cacheTokens, TimeProvider time)
{
    private const int MaxIdLength = 128;
    private const float MaxWeight = 1000;
    private const long MaxScores = 1 << 20; // what a request can have kept of its prompt, beyond text and ids

    private readonly Random _seeds = options.Seed is { } seed ? new Random((int)(seed ^ (seed >> 32))) : new Random();

    public ITextCodec? Codec => codec;

    /// <summary>Checks what all requests have, and gives an id to one without.</summary>
    public T Identify<T>(T request)
        where T : RequestOptions
    {
        CheckId(request.RequestId, "request_id");
        CheckId(request.Tenant, "tenant");
        if (request.Adapters.Count > options.MaxStack)
        {
            throw Invalid($"The request names {request.Adapters.Count} adapters; it can name {options.MaxStack}.");
        }

        foreach (AdapterReference adapter in request.Adapters)
        {
            if (!(Math.Abs(adapter.Weight) <= MaxWeight))
            {
                throw Invalid(FormattableString.Invariant($"The weight of adapter '{adapter.Name}' is {adapter.Weight}; it can be {-MaxWeight} to {MaxWeight}."));
            }
        }

        if (request.Deadline is { } deadline && deadline <= time.GetUtcNow())
        {
            throw new EngineException(EngineError.DeadlineExceeded, "The request's deadline has passed already. Allow more time.");
        }

        return request.RequestId.Length > 0 ? request : request with { RequestId = Guid.NewGuid().ToString("n") };
    }

    /// <summary>The prompt to continue.</summary>
    public int[] Prompt(GenerationRequest request)
    {
        int[] prompt = Tokens(request.Prompt, request.PromptTokens, request.AddSpecialTokens, "prompt")
            ?? throw Invalid("The request has no prompt. Give prompt or prompt_token_ids.");
        CheckPrompt(prompt, AdapterStack.Empty, request.Sampling);
        if (request.Echo && request.Sampling.LogProbabilities is { } top && prompt.Length * (1L + top) > MaxScores)
        {
            throw new EngineException(EngineError.InvalidSampling, $"With echo, logprobs of {top} and a prompt of {prompt.Length} tokens ask for {prompt.Length * (1L + top)} log-probabilities; {MaxScores} can be had. Ask for fewer alternatives.");
        }

        return prompt;
    }

    /// <summary>Checks that a prompt fits behind the virtual rows of its adapters.</summary>
    public void CheckPrompt(int[] prompt, AdapterStack adapters, SamplingOptions sampling)
    {
        bool isAnswered = sampling.MaxTokens > 0;
        CheckLength(prompt, adapters, LengthWith(adapters) - (isAnswered ? 1 : 0), "The prompt", isAnswered ? "one place is left for an answer" : "");
    }

    /// <summary>Checks that a text to score fits.</summary>
    public void CheckScored(int[] text, AdapterStack adapters) => CheckLength(text, adapters, LengthWith(adapters), "A text to score, prompt included,", "");

    /// <summary>Checks that a text to embed fits.</summary>
    public void CheckEmbedded(int[] text, AdapterStack adapters) => CheckLength(text, adapters, LengthWith(adapters), "An input", "");

    /// <summary>Checks how tokens are to be chosen.</summary>
    public void Check(GenerationRequest request)
    {
        SamplingOptions sampling = request.Sampling;
        SamplingValidation.Check(sampling, vocabularySize, Math.Min(options.MaxChoices, Math.Min(options.MaxRunningSequences, Math.Min(options.MaxLogitRows, options.MaxBatchRows))));
        if (codec is null && sampling.Stop.Count > 0)
        {
            throw NoTokenizer();
        }

        // Made here, before anything is reserved, and on the caller's thread.
        _ = GrammarOf(request);
    }

    /// <summary>How to choose tokens.</summary>
    /// <param name="request">What was asked for, checked.</param>
    /// <param name="promptLength">Tokens of the prompt, without virtual rows.</param>
    /// <param name="adapters">Its adapters.</param>
    public SamplingPlan Plan(GenerationRequest request, int promptLength, AdapterStack adapters)
    {
        SamplingOptions sampling = request.Sampling;
        IEnumerable<int> ends = generation.EndTokens.Concat(options.UseAdapterTemplates ? adapters.EndTokens : []);
        int room = LengthWith(adapters) - adapters.VirtualRows - promptLength;
        return new(sampling, ends, vocabularySize, sampling.Seed ?? Seed(), Math.Min(sampling.MaxTokens, room), GrammarOf(request));
    }

    /// <summary>The prompt and, for each text to score, prompt and text together; the prompt itself where there is no other text.</summary>
    public (int[] Prompt, List<int[]> Texts) Texts(ScoreRequest request)
    {
        int[] prompt = Tokens(request.Prompt, request.PromptTokens, request.AddSpecialTokens, "prompt", mayBeEmpty: true) ?? [];
        List<int[]> texts = [.. Lists(request.Continuations, request.ContinuationTokens, "continuations", addSpecialTokens: false).Select(text => (int[])[.. prompt, .. text])];
        if (texts.Count == 0)
        {
            texts.Add(prompt);
        }

        foreach (int[] text in texts)
        {
            if (text.Length < 2)
            {
                throw new EngineException(EngineError.EmptyPrompt, "There is nothing to score: a token's probability needs a token before it. Give a prompt of two tokens, or a prompt and continuations.");
            }

            CheckScored(text, AdapterStack.Empty);
        }

        return (prompt, texts);
    }

    /// <summary>The texts to embed.</summary>
    public List<int[]> Texts(EmbedRequest request)
    {
        List<int[]> texts = Lists(request.Inputs, request.InputTokens, "input", addSpecialTokens: true);
        if (texts.Count == 0)
        {
            throw new EngineException(EngineError.EmptyPrompt, "There is nothing to embed. Give at least one input.");
        }

        texts.ForEach(text => CheckEmbedded(text, AdapterStack.Empty));
        return texts;
    }

    /// <summary>The tokens of a text that is not too long to be looked at.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Whether it gets the tokens that the tokenizer puts around a text.</param>
    /// <param name="field">What a refusal calls it.</param>
    public int[] Encode(string text, bool addSpecialTokens, string field)
    {
        if (text.Length > options.MaxTextLength)
        {
            throw Invalid($"The {field} has {text.Length} characters; it can have {options.MaxTextLength}. Send less text, or raise MaxTextLength.");
        }

        return (codec ?? throw NoTokenizer()).Encode(text, addSpecialTokens);
    }

    /// <summary>The text of tokens.</summary>
    public string Text(int[] tokens) => codec?.Decode(tokens) ?? throw NoTokenizer();

    private CompiledGrammar? GrammarOf(GenerationRequest request) => request.Sampling.Constraint is { } constraint ? grammars.Get(constraint, request.VisibleTokens) : null;

    private static EngineException Invalid(string message) => new(EngineError.InvalidRequest, message);

    private static EngineException NoTokenizer() =>
        new(EngineError.Unsupported, "The model has no tokenizer, so it takes token ids only and has no stop texts. Serve it with its tokenizer, or send ids.");

    // Each pass over a sequence has pages of its own.
    private int LengthWith(AdapterStack adapters) => Math.Min(contextLength, cacheTokens / KvPage.Tokens / adapters.Passes * KvPage.Tokens);

    private static void CheckLength(int[] tokens, AdapterStack adapters, int places, string what, string why)
    {
        int virtualRows = adapters.VirtualRows;
        int most = Math.Max(0, places - virtualRows);
        if (tokens.Length > most)
        {
            string ahead = virtualRows > 0 ? $" behind the {virtualRows} virtual tokens of its adapters" : "";
            throw new EngineException(EngineError.PromptTooLong, $"{what} has {tokens.Length} tokens; {most} fit{ahead}{(why.Length > 0 ? $", since {why}" : "")}. Send less text, or serve the model with a longer context and a larger key/value cache.");
        }
    }

    private static void CheckId(string text, string field)
    {
        if (text.Length > MaxIdLength || text.Any(char.IsControl))
        {
            throw Invalid($"{field} has {text.Length} characters; it can have {MaxIdLength}, none of them a control character.");
        }
    }

    private List<int[]> Lists(IReadOnlyList<string> texts, IReadOnlyList<IReadOnlyList<int>> tokens, string field, bool addSpecialTokens)
    {
        if (texts.Count > 0 && tokens.Count > 0)
        {
            throw Invalid($"The request has {field} both as text and as token ids. Give one of them.");
        }

        int count = texts.Count + tokens.Count;
        return count > options.MaxTexts
            ? throw Invalid($"The request has {count} {field}; it can have {options.MaxTexts}.")
            : [.. texts.Select(text => Tokens(text, null, addSpecialTokens, field)!), .. tokens.Select(ids => Tokens(null, ids, addSpecialTokens, field)!)];
    }

    private int[]? Tokens(string? text, IReadOnlyList<int>? ids, bool addSpecialTokens, string field, bool mayBeEmpty = false)
    {
        if (text is not null && ids is not null)
        {
            throw Invalid($"The request has {field} both as text and as token ids. Give one of them.");
        }

        if (text is null && ids is null)
        {
            return null;
        }

        int[] tokens = ids is not null ? [.. ids] : Encode(text!, addSpecialTokens, field);
        foreach (int token in tokens)
        {
            if (token < 0 || token >= vocabularySize)
            {
                throw Invalid($"Token id {token} in {field} is not in the vocabulary; ids are 0 to {vocabularySize - 1}.");
            }
        }

        return tokens.Length > 0 || mayBeEmpty ? tokens : throw new EngineException(EngineError.EmptyPrompt, $"The {field} has no tokens. Give some text.");
    }

    private ulong Seed()
    {
        lock (_seeds)
        {
            return (ulong)_seeds.NextInt64(long.MinValue, long.MaxValue);
        }
    }
}

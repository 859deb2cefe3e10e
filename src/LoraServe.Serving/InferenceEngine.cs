using LoraServe.Compute;
using LoraServe.Compute.Machine;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Serving.Cache;
using LoraServe.Serving.Sampling;
using LoraServe.Serving.Scheduling;
using LoraServe.Serving.Store;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoraServe.Serving;

/// <summary>Serves one base model with any of its adapters to many callers at once. Any thread may call.</summary>
/// <remarks>
/// Requests for different adapters share every step. What a request gets is bit-identical whatever else runs: it depends on
/// its prompt, its adapters' versions, its options and its seed alone.
/// </remarks>
public sealed class InferenceEngine : IAsyncDisposable
{
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly WorkerPool _pool;
    private readonly EngineLoop _loop;
    private readonly RequestReader _reader;
    private readonly TransformerSpec _spec;
    private EngineInstruments? _instruments;

    /// <summary>Starts an engine.</summary>
    /// <param name="model">The model; stays the caller's, who disposes it after the engine.</param>
    /// <param name="options">Sizes and limits; null for the defaults.</param>
    /// <param name="loggers">Where to log; null: nowhere.</param>
    /// <param name="time">The clock; null: the system's.</param>
    /// <exception cref="System.ComponentModel.DataAnnotations.ValidationException">An option is out of range.</exception>
    /// <exception cref="EngineException">The store folder is damaged.</exception>
    public InferenceEngine(LoadedModel model, EngineOptions? options = null, ILoggerFactory? loggers = null, TimeProvider? time = null)
        : this(Required(model).Transformer, model.Generation, model.Tokenizer is { } tokenizer ? new TokenizerCodec(tokenizer) : null, options, loggers, time)
    {
    }

    internal InferenceEngine(
        Transformer model, GenerationDefaults generation, ITextCodec? codec,
        EngineOptions? options = null, ILoggerFactory? loggers = null, TimeProvider? time = null, Func<IStepRunner, IStepRunner>? wrapRunner = null)
    {
        _options = options ?? new EngineOptions();
        System.ComponentModel.DataAnnotations.Validator.ValidateObject(_options, new System.ComponentModel.DataAnnotations.ValidationContext(_options), validateAllProperties: true);
        loggers ??= NullLoggerFactory.Instance;
        _time = time ?? TimeProvider.System;
        _spec = model.Spec;
        Adapters = new AdapterStore(model, _options, loggers.CreateLogger<AdapterStore>(), _time);
        _pool = new WorkerPool(_options.Workers > 0 ? _options.Workers : ProcessorTopology.PhysicalCores);
        ElementType pageType = _options.KvCacheType ?? (model.Arithmetic == Arithmetic.Exact ? ElementType.F32 : ElementType.F16);
        long pageBytes = KvPool.BytesPerPage(_spec, pageType);
        int pageCount = (int)Math.Clamp(_options.KvCacheBytes / pageBytes, 1, int.MaxValue / KvPool.PageTokens);
        IStepRunner runner = new ModelStepRunner(model, new KvPool(_spec, pageCount, pageType), _pool);
        _loop = new EngineLoop(
            wrapRunner?.Invoke(runner) ?? runner, _pool, Adapters.Memory, _options, _spec.VocabularySize,
            loop => _instruments = new EngineInstruments(this, () => loop.Status), loggers.CreateLogger<EngineLoop>(), _time)
        {
            Ended = submission => Adapters.Memory.RemoveUser(submission.Adapters),
        };
        Adapters.Observe(_instruments!, _loop.Wake);
        int contextLength = (int)Math.Min(_spec.ContextLength, (long)pageCount * KvPool.PageTokens);
        _reader = new RequestReader(_options, generation, codec, _spec.VocabularySize, contextLength, _time);
        _loop.Start();
    }

    /// <summary>The adapters that it serves.</summary>
    public AdapterStore Adapters { get; }

    /// <summary>How busy it is.</summary>
    public EngineStatus Status => _loop.Status;

    internal EngineLoop Loop => _loop;

    /// <summary>The tokens of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Whether it gets the tokens that the tokenizer puts around a text, such as the begin token.</param>
    /// <exception cref="EngineException">The text is longer than <see cref="EngineOptions.MaxTextLength"/>, or the model has no tokenizer.</exception>
    public int[] Tokenize(string text, bool addSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _reader.Encode(text, addSpecialTokens, "text");
    }

    /// <summary>Begins to continue a prompt. Returns once the request is accepted; tokens come by enumerating the result.</summary>
    /// <exception cref="EngineException">The request is refused.</exception>
    public async Task<Generation> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = _reader.Identify(request);
        int[] prompt = _reader.Prompt(request);
        _reader.Check(request.Sampling);
        string echo = request.Echo ? request.Prompt ?? _reader.Text(prompt) : "";
        GenerationSubmission submission = await SubmitAsync(request, prompt, Create, cancellationToken).ConfigureAwait(false);
        return new Generation(_loop, submission, cancellationToken);

        GenerationSubmission Create(AdapterStack adapters)
        {
            _reader.CheckPrompt(prompt, adapters.VirtualRows);
            SamplingPlan sampling = _reader.Plan(request.Sampling, adapters.VirtualRows + prompt.Length);
            var submission = new GenerationSubmission(request, adapters, _time.GetTimestamp(), sampling, prompt.Length, _reader.Codec, echo);
            submission.Add(new GenerationSequence(submission, adapters.WithVirtualRows(prompt)));
            return submission;
        }
    }

    /// <summary>Scores given texts.</summary>
    /// <exception cref="EngineException">The request is refused or fails.</exception>
    public async Task<ScoreResult> ScoreAsync(ScoreRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = _reader.Identify(request);
        (int[] prompt, List<int[]> texts) = _reader.Texts(request);
        int unscored = texts.Count == 1 && texts[0] == prompt ? 1 : Math.Max(prompt.Length, 1);
        ScoreSubmission submission = await SubmitAsync(request, prompt, Create, cancellationToken).ConfigureAwait(false);
        return await submission.Result.ConfigureAwait(false);

        ScoreSubmission Create(AdapterStack adapters)
        {
            var submission = new ScoreSubmission(request, adapters, _time.GetTimestamp());
            foreach (int[] text in texts)
            {
                _reader.CheckScored(text, adapters.VirtualRows);
                submission.Add(new ScoringSequence(submission, adapters.WithVirtualRows(text), adapters.VirtualRows + unscored));
            }

            return submission;
        }
    }

    /// <summary>Embeds given texts.</summary>
    /// <exception cref="EngineException">The request is refused or fails.</exception>
    public async Task<EmbedResult> EmbedAsync(EmbedRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = _reader.Identify(request);
        List<int[]> texts = _reader.Texts(request);
        EmbedSubmission submission = await SubmitAsync(request, texts[0], Create, cancellationToken).ConfigureAwait(false);
        return await submission.Result.ConfigureAwait(false);

        EmbedSubmission Create(AdapterStack adapters)
        {
            if (texts.Count > 1 && adapters.IsInvoked)
            {
                throw new EngineException(EngineError.InvalidRequest, "An adapter that is invoked by tokens acts from another place in each text. Embed one text in a request.");
            }

            var submission = new EmbedSubmission(request, adapters, _time.GetTimestamp());
            foreach (int[] text in texts)
            {
                _reader.CheckEmbedded(text, adapters.VirtualRows);
                submission.Add(new EmbeddingSequence(submission, adapters.WithVirtualRows(text), _spec.Width, request.Pooling, request.Normalize));
            }

            return submission;
        }
    }

    /// <summary>Takes nothing new from now on; done when all requests have ended.</summary>
    public Task DrainAsync(CancellationToken cancellationToken = default) => _loop.DrainAsync().WaitAsync(cancellationToken);

    /// <summary>Takes nothing new from now on, and ends all requests with <see cref="EngineError.ShuttingDown"/>; done when they have ended.</summary>
    public Task CutOffAsync() => _loop.CutOffAsync();

    /// <summary>Cuts off requests that still run, ends the engine's threads and frees its memory.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.Run(_loop.Dispose).ConfigureAwait(false);
        Adapters.Dispose();
        _pool.Dispose();
    }

    private static LoadedModel Required(LoadedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model;
    }

    // What a request's sequences are depends on its adapters too, so these are reserved before the sequences are made.
    private async Task<T> SubmitAsync<T>(RequestOptions request, int[] prompt, Func<AdapterStack, T> create, CancellationToken cancellationToken)
        where T : Submission
    {
        AdapterStack adapters = await Adapters.ReserveAsync(request.Principal, request.Adapters, cancellationToken).ConfigureAwait(false);
        T submission;
        try
        {
            submission = create(adapters);

            // An adapter that is invoked by tokens acts from where they begin in the prompt.
            submission.ActiveFrom = adapters.ActiveFrom(prompt);
            submission.Salts = PageSalts.Of(_options.SharePrefixCache ? "" : request.Tenant, adapters, submission.ActiveFrom);
            submission.LengthFreeContext = _spec.Rope.DependsOnLength ? _spec.Rope.OriginalContext : int.MaxValue;
            _loop.Submit(submission);
        }
        catch
        {
            Adapters.Memory.RemoveUser(adapters);
            throw;
        }

        if (cancellationToken.CanBeCanceled)
        {
            submission.Cancellation = cancellationToken.UnsafeRegister(
                _ => _loop.Cancel(submission, new OperationCanceledException(cancellationToken)), null);
            if (submission.IsEnded)
            {
                submission.Cancellation.Unregister();
            }
        }

        return submission;
    }
}

using LoraServe.Compute;
using LoraServe.Compute.Machine;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Config;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;
using LoraServe.Models.Text;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Sampling;
using LoraServe.Serving.Scheduling;
using LoraServe.Serving.Store;
using LoraServe.Serving.Store.Versions;
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
    private readonly WorkerPool _pool;
    private readonly EngineLoop _loop;
    private readonly RequestReader _reader;
    private readonly SubmissionFactory _submissions;
    private readonly GrammarCache _grammars;

    /// <summary>Starts an engine.</summary>
    /// <param name="model">The model; stays the caller's, who disposes it after the engine.</param>
    /// <param name="options">Sizes and limits; null for the defaults.</param>
    /// <param name="loggers">Where to log; null: nowhere.</param>
    /// <param name="time">The clock; null: the system's.</param>
    /// <exception cref="System.ComponentModel.DataAnnotations.ValidationException">An option is out of range.</exception>
    /// <exception cref="EngineException">The store folder is damaged.</exception>
    public InferenceEngine(LoadedModel model, EngineOptions? options = null, ILoggerFactory? loggers = null, TimeProvider? time = null)
        : this(Required(model).Transformer, model.Generation, model.Tokenizer is { } tokenizer ? new TokenizerCodec(tokenizer) : null, options, loggers, time, text: model.Text)
    {
    }

    internal InferenceEngine(
        Transformer model, GenerationDefaults generation, ITextCodec? codec,
        EngineOptions? options = null, ILoggerFactory? loggers = null, TimeProvider? time = null, Func<IStepRunner, IStepRunner>? wrapRunner = null, ModelText? text = null)
    {
        options ??= new EngineOptions();
        System.ComponentModel.DataAnnotations.Validator.ValidateObject(options, new System.ComponentModel.DataAnnotations.ValidationContext(options), validateAllProperties: true);
        loggers ??= NullLoggerFactory.Instance;
        time ??= TimeProvider.System;
        TransformerSpec spec = model.Spec;
        var bell = new Bell();
        var instruments = new EngineInstruments(this);
        try
        {
            Adapters = new AdapterStore(model, text ?? new ModelText("the model"), options, instruments, bell.Ring, loggers.CreateLogger<AdapterStore>(), time);
        }
        catch
        {
            instruments.Dispose();
            throw;
        }

        _pool = new WorkerPool(options.Workers > 0 ? options.Workers : ProcessorTopology.PhysicalCores);
        ElementType pageType = options.KvCacheType ?? (model.Arithmetic == Arithmetic.Exact ? ElementType.F32 : ElementType.F16);
        long pageBytes = model.PageBytes(pageType);
        int pageCount = (int)Math.Clamp(options.KvCacheBytes / pageBytes, 1, int.MaxValue / KvPage.Tokens);
        IStepRunner runner = model.CreateRunner(_pool, pageCount, pageType);
        _loop = new EngineLoop(
            wrapRunner?.Invoke(runner) ?? runner, _pool, Adapters.Memory, options, spec.VocabularySize, instruments, bell, loggers.CreateLogger<EngineLoop>(), time);
        EngineGauges.Add(instruments.Meter, () => _loop.Status, Adapters);
        _grammars = new GrammarCache(codec);
        _reader = new RequestReader(options, generation, codec, _grammars, spec.VocabularySize, spec.ContextLength, pageCount * KvPage.Tokens, time);
        _submissions = new SubmissionFactory(options, spec, _reader, instruments, time);
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
        _reader.Check(request);
        string? echo = request.Echo ? request.Prompt ?? _reader.Text(prompt) : null;
        GenerationSubmission submission = await SubmitAsync(
            request, adapters => _submissions.Generation(request, prompt, echo, adapters, cancellationToken), cancellationToken).ConfigureAwait(false);
        return new Generation(_loop, submission);
    }

    /// <summary>Scores given texts.</summary>
    /// <exception cref="EngineException">The request is refused or fails.</exception>
    public async Task<ScoreResult> ScoreAsync(ScoreRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = _reader.Identify(request);
        (int[] prompt, List<int[]> texts) = _reader.Texts(request);
        ScoreSubmission submission = await SubmitAsync(
            request, adapters => _submissions.Score(request, prompt, texts, adapters, cancellationToken), cancellationToken).ConfigureAwait(false);
        return await submission.Result.ConfigureAwait(false);
    }

    /// <summary>Embeds given texts.</summary>
    /// <exception cref="EngineException">The request is refused or fails.</exception>
    public async Task<EmbedResult> EmbedAsync(EmbedRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = _reader.Identify(request);
        List<int[]> texts = _reader.Texts(request);
        EmbedSubmission submission = await SubmitAsync(
            request, adapters => _submissions.Embed(request, texts, adapters, cancellationToken), cancellationToken).ConfigureAwait(false);
        return await submission.Result.ConfigureAwait(false);
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
        _grammars.Dispose();
        _pool.Dispose();
    }

    private static LoadedModel Required(LoadedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model;
    }

    // What a request is depends on its adapters too, so these are reserved before it is made.
    private async Task<T> SubmitAsync<T>(RequestOptions request, Func<AdapterStack, T> create, CancellationToken cancellationToken)
        where T : Submission
    {
        AdapterStack adapters = await Adapters.ReserveAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            T submission = create(adapters);
            _loop.Submit(submission);
            return submission;
        }
        catch
        {
            Adapters.Memory.RemoveUser(adapters);
            throw;
        }
    }
}

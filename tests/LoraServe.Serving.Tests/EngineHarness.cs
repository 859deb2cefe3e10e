using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Models.Config;
using LoraServe.Models.Forward;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Sampling;
using LoraServe.Testing;
using LoraServe.Tokenization;
using Microsoft.Extensions.Logging;

namespace LoraServe.Serving.Tests;

/// <summary>An engine over a tiny model, with a folder for adapters and a store that are gone afterwards, and a clock that only tests and sleeping engines move.</summary>
internal sealed class EngineHarness : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private readonly TestedDevice _device;
    private readonly Transformer _model;
    private readonly bool _ownsFolder;
    private readonly List<(Func<bool> Condition, TaskCompletionSource Came)> _awaited = [];

    public EngineHarness(
        Action<EngineOptions>? configure = null, string? folder = null, bool withText = false, ILoggerFactory? loggers = null, string device = "cpu")
    {
        _device = Devices.Named(device);
        _ownsFolder = folder is null;
        Folder = folder ?? Directory.CreateTempSubdirectory("loraserve-").FullName;
        _model = TinyModel.Create(seed: 1, device: _device.Require());
        Options = new EngineOptions
        {
            Workers = 2,
            KvCacheBytes = 1 << 20,
            KvCacheType = ElementType.F32,
            AdapterRoot = Directory.CreateDirectory(Path.Combine(Folder, "root")).FullName,
            StoreFolder = Path.Combine(Folder, "store"),
        };
        configure?.Invoke(Options);
        Engine = new InferenceEngine(_model, new GenerationDefaults(), withText ? new LetterCodec() : null, Options, loggers, Time, wrapRunner: runner => new WatchedRunner(this, runner));
        Engine.Loop.Turned = CheckAwaited;
    }

    public InferenceEngine Engine { get; }

    public SleepersTime Time { get; } = new();

    /// <summary>Called on the engine's thread before each step.</summary>
    public Action<TokenBatch>? BeforeStep { get; set; }

    public EngineOptions Options { get; }

    /// <summary>Whether answers have the same bits whatever runs beside them.</summary>
    public bool IsBatchInvariant => _model.IsBatchInvariant;

    /// <summary>Allocations in the device's memory, without what only awaits collection.</summary>
    public long DeviceAllocations()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return _device.Allocations();
    }

    public string Folder { get; }

    public string Adapter(string name, int seed, int rank = 4, float scale = 1, int[]? invocation = null) =>
        TinyAdapters.Write(Path.Combine(Options.AdapterRoot!, name), seed, rank, scale, invocation);

    public static GenerationRequest Request(int seed, int promptLength, string adapter = "", int maxTokens = 12, SamplingOptions? sampling = null) => new()
    {
        PromptTokens = TinyModel.Tokens(seed, promptLength, TinyModel.DefaultSpec.VocabularySize),
        Adapters = AdapterReference.ParseStack(adapter),
        Sampling = (sampling ?? new SamplingOptions()) with { MaxTokens = maxTokens },
    };

    /// <summary>All tokens of a request, in order of choice.</summary>
    public async Task<(Generation Generation, GeneratedToken[] Tokens)> RunAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        Generation generation = await Engine.GenerateAsync(request, cancellationToken);
        List<GeneratedToken> tokens = [];
        await foreach (GeneratedToken token in generation)
        {
            tokens.Add(token);
        }

        return (generation, [.. tokens.OrderBy(token => token.Choice)]);
    }

    public async Task<int[]> IdsAsync(GenerationRequest request) => [.. (await RunAsync(request)).Tokens.Select(token => token.TokenId)];

    /// <summary>Native memory of the process but for scratch, without what only awaits collection.</summary>
    public static long AllocatedBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return NativeBuffer.AllocatedBytes - NativeBuffer.ScratchBytes;
    }

    /// <summary>Waits for what the engine brings about. The condition is looked at by the engine's thread whenever that has something to do.</summary>
    public async Task UntilAsync(Func<bool> condition)
    {
        var came = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_awaited)
        {
            _awaited.Add((condition, came));
        }

        Engine.Loop.Wake();
        await came.Task.WaitAsync(s_patience);
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        _model.Dispose();
        if (_ownsFolder)
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private void CheckAwaited()
    {
        lock (_awaited)
        {
            _awaited.RemoveAll(awaited => awaited.Condition() && awaited.Came.TrySetResult());
        }
    }

    private sealed class WatchedRunner(EngineHarness harness, IStepRunner inner) : IStepRunner
    {
        public int PageCount => inner.PageCount;

        public long ByteLength => inner.ByteLength;

        public Rows Hidden => inner.Hidden;

        public void CopyPage(int from, int to) => inner.CopyPage(from, to);

        public StepLogits Forward(TokenBatch batch)
        {
            harness.BeforeStep?.Invoke(batch);
            return inner.Forward(batch);
        }

        public void Dispose() => inner.Dispose();
    }

    /// <summary>Token 1 is "a", token 2 "b", and so on, repeating.</summary>
    internal sealed class LetterCodec : ITextCodec
    {
        public static string Letter(int token) => ((char)('a' + (token % 26))).ToString();

        public int[] Encode(string text, bool addSpecialTokens) => [.. text.Select(letter => letter - 'a')];

        public ITextDecoder CreateDecoder(IReadOnlySet<int> visible) => new Decoder();

        public string Decode(IReadOnlyList<int> tokens) => string.Concat(tokens.Select(Letter));

        public TokenBytes? TryGetBytes(IReadOnlySet<int> visible) => new([.. Enumerable.Range(0, TinyModel.DefaultSpec.VocabularySize).Select(token => new[] { (byte)('a' + (token % 26)) })], null);

        private sealed class Decoder : ITextDecoder
        {
            private readonly char[] _letter = new char[1];

            public ReadOnlySpan<char> Append(int token)
            {
                _letter[0] = (char)('a' + (token % 26));
                return _letter;
            }

            public ReadOnlySpan<char> Flush() => [];
        }
    }
}

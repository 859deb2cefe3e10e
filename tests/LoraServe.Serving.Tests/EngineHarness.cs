using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Serving.Sampling;
using LoraServe.Serving.Scheduling;
using LoraServe.Testing;

namespace LoraServe.Serving.Tests;

/// <summary>An engine over a tiny model, with a folder for adapters and a store that are gone afterwards.</summary>
internal sealed class EngineHarness : IAsyncDisposable
{
    private readonly Transformer _model;
    private readonly bool _ownsFolder;

    public EngineHarness(Action<EngineOptions>? configure = null, Func<IStepRunner, IStepRunner>? wrapRunner = null, string? folder = null, bool withText = false)
    {
        _ownsFolder = folder is null;
        Folder = folder ?? Directory.CreateTempSubdirectory("loraserve-").FullName;
        _model = TinyModel.Create(seed: 1);
        Options = new EngineOptions
        {
            Workers = 2,
            KvCacheBytes = 1 << 20,
            KvCacheType = ElementType.F32,
            AdapterRoot = Directory.CreateDirectory(Path.Combine(Folder, "root")).FullName,
            StoreFolder = Path.Combine(Folder, "store"),
        };
        configure?.Invoke(Options);
        Engine = new InferenceEngine(_model, new GenerationDefaults(), withText ? new LetterCodec() : null, Options, wrapRunner: wrapRunner);
    }

    public InferenceEngine Engine { get; }

    public EngineOptions Options { get; }

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

    /// <summary>Native memory of the process, without what only awaits collection.</summary>
    public static long AllocatedBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return NativeBuffer.AllocatedBytes;
    }

    /// <summary>Waits until the loop has seen to something.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        for (int i = 0; i < 1000 && !condition(); i++)
        {
            await Task.Delay(10);
        }

        Assert.True(condition(), "It does not happen.");
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

    /// <summary>Token 1 is "a", token 2 "b", and so on, repeating.</summary>
    internal sealed class LetterCodec : ITextCodec
    {
        public static string Letter(int token) => ((char)('a' + (token % 26))).ToString();

        public int[] Encode(string text, bool addSpecialTokens) => [.. text.Select(letter => letter - 'a')];

        public ITextDecoder CreateDecoder() => new Decoder();

        public string Decode(IReadOnlyList<int> tokens) => string.Concat(tokens.Select(Letter));

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

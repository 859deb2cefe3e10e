namespace LoraServe.Models.Spec;

/// <summary>Shapes of known models, for measuring without their weights. A new one is a line.</summary>
public static class NamedShapes
{
    /// <summary>The shapes by name, from the smallest on.</summary>
    public static IReadOnlyDictionary<string, TransformerSpec> All { get; } = new OrderedDictionary<string, TransformerSpec>
    {
        ["tiny"] = Llama(layers: 2, width: 64, heads: (4, 2), headSize: 16, feedForward: 96, vocabulary: 256, context: 2048, Rope(10_000)),
        ["smollm2-135m"] = Llama(layers: 30, width: 576, heads: (9, 3), headSize: 64, feedForward: 1536, vocabulary: 49_152, context: 8192, Rope(100_000)),
        ["llama-1b"] = Llama(layers: 16, width: 2048, heads: (32, 8), headSize: 64, feedForward: 8192, vocabulary: 128_256, context: 131_072, Llama3(factor: 32)), // Llama 3.2 1B
        ["llama-7b"] = Llama(layers: 32, width: 4096, heads: (32, 32), headSize: 128, feedForward: 11_008, vocabulary: 32_000, context: 4096, Rope(10_000), tied: false), // Llama 2 7B
        ["llama-8b"] = Llama(layers: 32, width: 4096, heads: (32, 8), headSize: 128, feedForward: 14_336, vocabulary: 128_256, context: 131_072, Llama3(factor: 8), tied: false), // Llama 3.1 8B
    };

    private static RopeSpec Rope(double theta) => new() { Theta = theta };

    private static RopeSpec Llama3(double factor) => new()
    {
        Scaling = RopeScaling.Llama3,
        Theta = 500_000,
        Factor = factor,
        OriginalContext = 8192,
        LowFrequencyFactor = 1,
        HighFrequencyFactor = 4,
    };

    private static TransformerSpec Llama(int layers, int width, (int Query, int KeyValue) heads, int headSize, int feedForward, int vocabulary, int context, RopeSpec rope, bool tied = true) => new()
    {
        Architecture = "llama",
        LayerCount = layers,
        Width = width,
        QueryHeads = heads.Query,
        KeyValueHeads = heads.KeyValue,
        HeadSize = headSize,
        FeedForwardWidth = feedForward,
        VocabularySize = vocabulary,
        ContextLength = context,
        NormEpsilon = 1e-5f,
        TiedHead = tied,
        Rope = rope,
        Windows = [.. new int[layers]],
    };
}

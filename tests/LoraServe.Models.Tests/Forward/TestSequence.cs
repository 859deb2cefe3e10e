using LoraServe.Models.Forward;

namespace LoraServe.Models.Tests.Forward;

/// <summary>Tokens on their way through a <see cref="ForwardHarness"/>.</summary>
internal sealed class TestSequence(int[] tokens, AdapterUse[] adapters)
{
    public int[] Tokens { get; } = tokens;

    public AdapterUse[] Adapters { get; } = adapters;

    public int PromptLength { get; init; } = tokens.Length;

    public List<int> Pages { get; } = [];

    public float[][] Logits { get; } = new float[tokens.Length][];

    public int Done { get; set; }

    public int Segment { get; set; }
}

using LoraServe.Models.Forward;

namespace LoraServe.Testing;

/// <summary>Tokens on their way through a <see cref="ForwardHarness"/>, behind the virtual rows of their adapters.</summary>
public sealed class TestSequence
{
    public TestSequence(int[] text, AdapterUse[] adapters)
    {
        Text = text;
        Adapters = adapters;
        VirtualRows = adapters.Sum(use => use.Adapter.VirtualRows);
        Tokens = [.. VirtualRow.Tokens(VirtualRows), .. text];
        PromptLength = Tokens.Length;
        Logits = new float[Tokens.Length][];
        Hidden = new float[Tokens.Length][];
    }

    /// <summary>What a user gave.</summary>
    public int[] Text { get; }

    public int[] Tokens { get; }

    public AdapterUse[] Adapters { get; }

    public int VirtualRows { get; }

    public int PromptLength { get; set; }

    public List<int> Pages { get; } = [];

    /// <summary>Its pages of the first pass, where an adapter has a classifier.</summary>
    public List<int> ScoutPages { get; } = [];

    /// <summary>After each of <see cref="Tokens"/>, once computed.</summary>
    public float[][] Logits { get; }

    /// <summary>The same after each of <see cref="Text"/>.</summary>
    public float[][] TextLogits => Logits[VirtualRows..];

    /// <summary>The last hidden state of each of <see cref="Tokens"/>, where that was wanted.</summary>
    public float[][] Hidden { get; }

    public int Done { get; set; }

    /// <summary>Its segment of the step's batch.</summary>
    public int Segment { get; set; }

    /// <summary>Of which of <see cref="Tokens"/> the step gives something.</summary>
    public int[] OutputRows { get; set; } = [];
}

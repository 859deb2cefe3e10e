using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Testing;

/// <summary>Small random adapters of the methods beyond LoRA, in compute form, the same for the same seed.</summary>
public static class TinyEdits
{
    /// <summary>Scales inputs and outputs (IA3): each output of keys and values, biases included; each input of queries and of the narrowing projection.</summary>
    public static ResidentAdapter Scales(Transformer model, int seed)
    {
        var random = new Random(seed);
        var edits = new List<AdapterEdit>();
        foreach (BaseModule module in model.Modules)
        {
            if (module.Site.Role is SiteRole.Query or SiteRole.Down)
            {
                edits.Add(new InputScale(module.Site, Around(random, 1, module.Inputs)));
            }
            else if (module.Site.Role is SiteRole.Key or SiteRole.Value)
            {
                float[] scale = Around(random, 1, module.Outputs);
                float[] bias = new float[module.Outputs];
                model.CopyBias(module.Site, bias);
                edits.Add(new OutputScale(module.Site, scale));
                edits.Add(new BiasDelta(module.Site, [.. scale.Zip(bias, (v, b) => (v - 1) * b)]));
            }
        }

        return model.Place(edits);
    }

    /// <summary>Another model of the same shape in the base's place, as full fine-tuning makes it.</summary>
    public static IReadOnlyList<AdapterEdit> Replacements(IBaseModel model)
    {
        var edits = new List<AdapterEdit>();
        foreach (BaseModule module in model.Modules)
        {
            var weight = new FloatMatrix(module.Outputs, module.Inputs);
            for (int row = 0; row < module.Outputs; row++)
            {
                model.CopyWeightRow(module.Site, row, weight.Row(row));
            }

            float[] bias = new float[module.Outputs];
            if (module.HasBias)
            {
                model.CopyBias(module.Site, bias);
            }

            edits.Add(new WeightReplacement(module.Site, weight, module.HasBias ? bias : null));
        }

        foreach (BaseNorm norm in model.Norms)
        {
            float[] gains = new float[norm.ParameterCount];
            model.CopyNorm(norm.Site, gains);
            edits.Add(new NormReplacement(norm.Site, gains));
        }

        return edits;
    }

    /// <summary>Shared projections with scales of its own at every linear map but the head (VeRA).</summary>
    public static ResidentAdapter Shared(Transformer model, int seed, int rank)
    {
        var shared = new Random(77); // the same whatever the seed: adapters differ in their scales alone
        BaseModule[] modules = [.. model.Modules.Where(module => module.Site.Layer >= 0)];
        int inputs = modules.Max(module => module.Inputs);
        int outputs = modules.Max(module => module.Outputs);
        var a = new SharedMatrix(new FloatMatrix(rank, inputs, Around(shared, 0, rank * inputs)));
        var b = new SharedMatrix(new FloatMatrix(outputs, rank, Around(shared, 0, rank * outputs)));
        var random = new Random(seed);
        return model.Place(
            [.. modules.Select(module => new SharedLowRank(module.Site, a, b, Around(random, 0, rank), Around(random, 0, module.Outputs)))]);
    }

    /// <summary>A bottleneck after every sublayer.</summary>
    public static ResidentAdapter Bottlenecks(
        Transformer model, int seed, BottleneckInput input, Activation activation = Activation.Silu, bool? normCoversSublayer = null, int size = 9) =>
        model.Place(BottleneckEdits(model, seed, input, activation, normCoversSublayer, size));

    /// <summary>The same as edits.</summary>
    public static IReadOnlyList<Bottleneck> BottleneckEdits(
        IBaseModel model, int seed, BottleneckInput input, Activation activation, bool? normCoversSublayer, int size)
    {
        var random = new Random(seed);
        int width = model.Width;
        var edits = new List<Bottleneck>();
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            foreach (BottleneckPlace place in (ReadOnlySpan<BottleneckPlace>)[BottleneckPlace.Attention, BottleneckPlace.Mlp])
            {
                edits.Add(new Bottleneck(
                    layer, place, input,
                    new FloatMatrix(size, width, Around(random, 0, size * width)), Around(random, 0, size), activation,
                    new FloatMatrix(width, size, Around(random, 0, size * width)), Around(random, 0, width),
                    layer == 0 ? [0.7f] : Around(random, 1, width),
                    normCoversSublayer is { } covers ? new BottleneckNorm(Around(random, 1, width), Around(random, 0, width), covers) : null));
            }
        }

        return edits;
    }

    /// <summary>Embeddings ahead of the prompt (prompt tuning).</summary>
    public static ResidentAdapter VirtualTokens(Transformer model, int seed, int count) =>
        model.Place([new VirtualTokens(new FloatMatrix(count, model.Width, Around(new Random(seed), 0, count * model.Width)))]);

    /// <summary>Keys and values ahead of the prompt in every layer (prefix tuning).</summary>
    public static ResidentAdapter Prefix(Transformer model, int seed, int count)
    {
        var random = new Random(seed);
        int width = model.Modules.First(module => module.Site.Role == SiteRole.Key).Outputs;
        return model.Place(
            [.. Enumerable.Range(0, model.LayerCount).Select(layer => new PrefixKeyValue(layer, Matrix(), Matrix()))]);

        FloatMatrix Matrix() => new(count, width, Around(random, 0, count * width));
    }

    /// <summary>Keys and values of every layer apart from the sequence's (LLaMA-Adapter).</summary>
    public static ResidentAdapter Prompts(Transformer model, int seed, int count)
    {
        var random = new Random(seed);
        return model.Place([.. Enumerable.Range(0, model.LayerCount).Select(layer => new PromptAttention(layer, PromptPlace.BeforeOutput, Matrix(), Matrix()))]);

        FloatMatrix Matrix() => new(count, model.KeyWidth, Around(random, 0, count * model.KeyWidth));
    }

    private static float[] Around(Random random, float center, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => center + random.NextSingle() - 0.5f)];
}

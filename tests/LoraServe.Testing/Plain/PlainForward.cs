using System.Collections.Concurrent;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Models.Backward;
using LoraServe.Models.Spec;

namespace LoraServe.Testing.Plain;

/// <summary>
/// The forward pass in plain loops over float64, a sequence at a time, with edits of every kind as their formulas say: what every
/// device is held against. It shares nothing with a device, nor with what brings edits together for devices.
/// </summary>
/// <param name="spec">The model's shape.</param>
/// <param name="weights">Where its weights come from: the model, or what was merged into it.</param>
public sealed class PlainForward(TransformerSpec spec, IBaseModel weights)
{
    private readonly ConcurrentDictionary<Site, PlainLinear> _linears = [];
    private readonly ConcurrentDictionary<NormSite, double[]> _norms = [];

    /// <summary>A model's own pass.</summary>
    public PlainForward(PlainModel model)
        : this(model.Spec, model)
    {
    }

    /// <summary>The model's shape.</summary>
    public TransformerSpec Spec => spec;

    /// <summary>Logits after every token, [tokens][vocabulary].</summary>
    /// <param name="tokens">The sequence, all of it the prompt.</param>
    /// <param name="stack">The adapters that act on it.</param>
    public double[][] Logits(int[] tokens, params PlainAdapter[] stack) => Logits(tokens, tokens.Length, stack);

    /// <summary>Logits after every token, [tokens][vocabulary].</summary>
    /// <param name="tokens">The sequence.</param>
    /// <param name="promptLength">How much of it is the prompt, in which invocation tokens are looked for.</param>
    /// <param name="stack">The adapters that act on it.</param>
    public double[][] Logits(int[] tokens, int promptLength, params PlainAdapter[] stack)
    {
        var pass = new PlainPass(this, tokens, promptLength, stack);
        return pass.Logits(pass.Hidden(), pass.VirtualRows);
    }

    /// <summary>Last hidden states after the final norm of every row, virtual ones included, [rows][width].</summary>
    public double[][] Hidden(int[] tokens, params PlainAdapter[] stack) => new PlainPass(this, tokens, tokens.Length, stack).Hidden();

    /// <summary>The loss of each labelled token that a row comes before: −log p, of which smoothing spreads a share over the vocabulary.</summary>
    public double[] Losses(TrainingExample example, double smoothing = 0, params PlainAdapter[] stack)
    {
        var pass = new PlainPass(this, example.Tokens, example.Tokens.Length, stack);
        double[][] logits = pass.Logits(pass.Hidden(), 0);

        // Virtual tokens predict the first token; the rows of a prefix are none that the model has seen.
        int first = stack.Any(adapter => adapter.Edits.OfType<VirtualTokens>().Any()) ? 0 : 1;
        return
        [
            .. from t in Enumerable.Range(first, Math.Max(0, example.Labels.Length - first))
               where example.Labels[t] != TrainingExample.NoLabel
               select Loss(logits[pass.VirtualRows + t - 1], example.Labels[t]),
        ];

        double Loss(double[] row, int target)
        {
            double greatest = row.Max();
            double logSum = greatest + Math.Log(row.Sum(logit => Math.Exp(logit - greatest)));
            return logSum - ((1 - smoothing) * row[target]) - (smoothing * row.Average());
        }
    }

    /// <summary>The base's linear map.</summary>
    internal PlainLinear Linear(Site site) => _linears.GetOrAdd(site, _ =>
    {
        BaseModule module = weights.Modules.First(module => module.Site == site);
        float[] row = new float[module.Inputs];
        float[] bias = new float[module.Outputs];
        if (!site.IsTable)
        {
            weights.CopyBias(site, bias);
        }

        return new PlainLinear(
            [.. Enumerable.Range(0, module.Outputs).Select(output =>
            {
                weights.CopyWeightRow(site, output, row);
                return PlainMath.Doubles(row);
            })],
            PlainMath.Doubles(bias));
    });

    /// <summary>The base's gains as its files have them, then its biases.</summary>
    internal double[] Gains(NormSite site) => _norms.GetOrAdd(site, _ =>
    {
        float[] parameters = new float[weights.Norms.First(norm => norm.Site == site).ParameterCount];
        weights.CopyNorm(site, parameters);
        return PlainMath.Doubles(parameters);
    });
}

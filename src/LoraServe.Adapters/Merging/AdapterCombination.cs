using System.Collections.Immutable;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Merging;

/// <summary>Makes one LoRA adapter of several, as PEFT's <c>add_weighted_adapter</c> does.</summary>
public sealed class AdapterCombination
{
    private readonly IReadOnlyList<WeightedAdapter> _inputs;
    private readonly CombinationOptions _options;
    private readonly Func<int, bool[]> _drawMask;

    private AdapterCombination(IReadOnlyList<WeightedAdapter> inputs, CombinationOptions options, Func<int, bool[]>? drawMask)
    {
        _inputs = inputs;
        _options = options;
        var random = new Random(options.Seed);
        _drawMask = drawMask ?? (count => [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() < options.Density)]);
    }

    /// <summary>Combines adapters that consist of low-rank pairs alone.</summary>
    /// <param name="inputs">The adapters, all loaded on <paramref name="model"/>.</param>
    /// <param name="model">Their base.</param>
    /// <param name="options">How.</param>
    /// <returns>One pair of scale 1 for each module that an adapter edits, in the base's order: for <c>PeftWriter</c>.</returns>
    /// <exception cref="ArgumentException">An adapter holds other edits, ranks differ where the method cannot have that, or an option is out of its range.</exception>
    public static ImmutableArray<LowRank> Combine(IReadOnlyList<WeightedAdapter> inputs, IBaseModel model, CombinationOptions options) =>
        Combine(inputs, model, options, drawMask: null);

    /// <summary>Combines with DARE masks from elsewhere: <paramref name="drawMask"/> gives one of the length asked for.</summary>
    internal static ImmutableArray<LowRank> Combine(IReadOnlyList<WeightedAdapter> inputs, IBaseModel model, CombinationOptions options, Func<int, bool[]>? drawMask)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        Check(inputs, options);
        var combination = new AdapterCombination(inputs, options, drawMask);
        return [.. model.Modules.Select(module => combination.At(module)).OfType<LowRank>()];
    }

    private static void Check(IReadOnlyList<WeightedAdapter> inputs, CombinationOptions options)
    {
        if (inputs.Count == 0)
        {
            throw new ArgumentException("No adapters were given; expected at least one.", nameof(inputs));
        }

        if (!(options.Density > 0 && options.Density <= 1))
        {
            throw new ArgumentException($"The density is {options.Density}; expected above 0 and at most 1.", nameof(options));
        }

        if (options.Rank <= 0)
        {
            throw new ArgumentException($"The rank is {options.Rank}; expected at least 1.", nameof(options));
        }

        foreach (WeightedAdapter input in inputs)
        {
            if (!double.IsFinite(input.Weight))
            {
                throw new ArgumentException($"A weight is {input.Weight}; expected finite numbers.", nameof(inputs));
            }

            if (input.Adapter.InvocationTokens.Length > 0)
            {
                throw new ArgumentException("An adapter is active only after its invocation tokens (aLoRA); such adapters cannot be combined.", nameof(inputs));
            }

            if (input.Adapter.Edits.FirstOrDefault(edit => edit is not (LowRank or SharedLowRank)) is { } other)
            {
                throw new ArgumentException($"An adapter of method {input.Adapter.Report.Method} holds an edit {other.GetType().Name}; only low-rank pairs can be combined. Serve the adapters stacked instead.", nameof(inputs));
            }
        }
    }

    private LowRank? At(BaseModule module)
    {
        var pairs = new List<LowRank>();
        var weights = new List<double>();
        foreach (WeightedAdapter input in _inputs)
        {
            LowRank[] found = [.. input.Adapter.Edits.OfType<ModuleEdit>().Where(edit => edit.Site == module.Site).Select(edit => edit as LowRank ?? ((SharedLowRank)edit).ToLowRank(module.Inputs))];
            pairs.AddRange(found);
            weights.AddRange(found.Select(_ => input.Weight));
        }

        return pairs.Count == 0 ? null : Combine(module, pairs, [.. weights]);
    }

    private LowRank Combine(BaseModule module, List<LowRank> pairs, double[] weights) => _options.Method switch
    {
        CombinationMethod.Concatenation => Concatenate(module.Site, pairs, weights),
        CombinationMethod.Svd or CombinationMethod.TiesSvd or CombinationMethod.DareLinearSvd or CombinationMethod.DareTiesSvd or CombinationMethod.MagnitudePruneSvd
            => CombineChanges(module.Site, pairs, weights),
        _ => CombineFactors(module, pairs, weights),
    };

    private static LowRank Concatenate(Site site, List<LowRank> pairs, double[] weights)
    {
        int rank = pairs.Sum(pair => pair.Rank);
        var a = new FloatMatrix(rank, pairs[0].A.Columns);
        var b = new FloatMatrix(pairs[0].B.Rows, rank);
        int first = 0;
        for (int k = 0; k < pairs.Count; k++)
        {
            LowRank pair = pairs[k];
            for (int i = 0; i < pair.A.Values.Length; i++)
            {
                a.Values[(first * a.Columns) + i] = (float)(weights[k] * pair.Scale) * pair.A.Values[i];
            }

            for (int row = 0; row < b.Rows; row++)
            {
                pair.B.Row(row).CopyTo(b.Row(row)[first..]);
            }

            first += pair.Rank;
        }

        return new LowRank(site, a, b, 1);
    }

    private LowRank CombineFactors(BaseModule module, List<LowRank> pairs, double[] weights)
    {
        if (pairs.Any(pair => pair.Rank != pairs[0].Rank))
        {
            throw new ArgumentException($"At {module.Path} the adapters have ranks {string.Join(", ", pairs.Select(pair => pair.Rank))}; this method needs equal ones. Use cat, svd or another method that decomposes.");
        }

        // Each factor takes the root of weight and scale; the weight's sign goes to A alone.
        double[] roots = [.. pairs.Zip(weights, (pair, weight) => Math.Sqrt(Math.Abs(weight * pair.Scale)))];
        double[] signed = [.. roots.Zip(weights, (root, weight) => weight < 0 ? -root : root)];
        float[] a = Unite([.. pairs.Select(pair => pair.A.Values)], signed);
        float[] b = Unite([.. pairs.Select(pair => pair.B.Values)], roots);
        return new LowRank(module.Site, new FloatMatrix(pairs[0].Rank, pairs[0].A.Columns, a), new FloatMatrix(pairs[0].B.Rows, pairs[0].Rank, b), 1);
    }

    private LowRank CombineChanges(Site site, List<LowRank> pairs, double[] weights)
    {
        (int rows, int columns) = (pairs[0].B.Rows, pairs[0].A.Columns);
        float[] change = Unite([.. pairs.Select(pair =>
        {
            var formed = new FloatMatrix(rows, columns);
            LowRankProduct.Add(formed, pair.A, pair.B, pair.Scale);
            return formed.Values;
        })], weights);
        TruncatedSvd svd = TruncatedSvd.Of(new FloatMatrix(rows, columns, change), _options.Rank ?? pairs.Max(pair => pair.Rank));
        return new LowRank(site, svd.Right, svd.ScaledLeft, 1);
    }

    private float[] Unite(IReadOnlyList<float[]> tensors, double[] weights)
    {
        CombinationMethod method = _options.Method;
        IReadOnlyList<float[]> pruned = method switch
        {
            CombinationMethod.Linear or CombinationMethod.Svd => tensors,
            CombinationMethod.DareLinear or CombinationMethod.DareTies or CombinationMethod.DareLinearSvd or CombinationMethod.DareTiesSvd
                => [.. tensors.Select(tensor => Pruning.ByMask(tensor, _drawMask(tensor.Length), _options.Density))],
            _ => [.. tensors.Select(tensor => Pruning.ByMagnitude(tensor, _options.Density))],
        };
        return method is CombinationMethod.Ties or CombinationMethod.TiesSvd or CombinationMethod.DareTies or CombinationMethod.DareTiesSvd
            ? TaskArithmetic.ElectSigns(pruned, weights, _options.ElectByFrequency)
            : TaskArithmetic.Sum(pruned, weights);
    }
}

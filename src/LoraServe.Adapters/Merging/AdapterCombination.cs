using System.Collections.Immutable;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Merging;

/// <summary>Makes one LoRA adapter of several, as PEFT's <c>add_weighted_adapter</c> does.</summary>
public sealed class AdapterCombination
{
    private readonly ILookup<Site, (ModuleEdit Edit, double Weight)> _edits;
    private readonly CombinationOptions _options;
    private readonly Func<int, bool[]> _drawMask;
    private readonly CancellationToken _cancellationToken;

    private AdapterCombination(IReadOnlyList<WeightedAdapter> inputs, CombinationOptions options, Func<int, bool[]>? drawMask, CancellationToken cancellationToken)
    {
        _edits = inputs.SelectMany(input => input.Adapter.Edits.OfType<ModuleEdit>().Select(edit => (edit, input.Weight))).ToLookup(found => found.edit.Site);
        _options = options;
        _cancellationToken = cancellationToken;
        var random = new Random(options.Seed);
        _drawMask = drawMask ?? (count => [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() < options.Density)]);
    }

    /// <summary>Combines adapters that consist of low-rank pairs alone.</summary>
    /// <param name="inputs">The adapters, all loaded on <paramref name="model"/>.</param>
    /// <param name="model">Their base.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Gives up, also in the middle of a large module.</param>
    /// <returns>One pair of scale 1 for each module that an adapter edits, in the base's order: for <c>PeftWriter</c>.</returns>
    /// <exception cref="MergeException">
    /// An adapter holds other edits, ranks differ where the method cannot have that, an option is out of its range, or a bound of the options would be passed.
    /// </exception>
    public static ImmutableArray<LowRank> Combine(
        IReadOnlyList<WeightedAdapter> inputs, IBaseModel model, CombinationOptions options, CancellationToken cancellationToken = default) =>
        Combine(inputs, model, options, drawMask: null, cancellationToken);

    /// <summary>The same as an adapter in memory, which has no files.</summary>
    /// <param name="inputs">The adapters, all loaded on <paramref name="model"/>.</param>
    /// <param name="model">Their base.</param>
    /// <param name="options">How.</param>
    /// <param name="digest">What tells it from others: of the inputs and the options.</param>
    /// <exception cref="MergeException">As for <see cref="Combine(IReadOnlyList{WeightedAdapter}, IBaseModel, CombinationOptions, CancellationToken)"/>.</exception>
    public static Adapter ToAdapter(IReadOnlyList<WeightedAdapter> inputs, IBaseModel model, CombinationOptions options, string digest)
    {
        ImmutableArray<LowRank> pairs = Combine(inputs, model, options);
        return new Adapter([.. pairs], [], digest, new AdapterReport
        {
            Method = CombinationOptions.NameOf(options.Method),
            MatchedModules = [.. model.Modules.Where(module => pairs.Any(pair => pair.Site == module.Site)).Select(module => module.Path)],
            UnmatchedModules = [],
            MinimumRank = pairs.Min(pair => pair.Rank),
            MaximumRank = pairs.Max(pair => pair.Rank),
            DeltaNorms = ImmutableSortedDictionary<string, double>.Empty,
            FileBytes = 0,
            TensorCount = 0,
        });
    }

    /// <summary>Checks what can be checked before any adapter is read.</summary>
    /// <param name="ranks">Their greatest ranks, in order.</param>
    /// <param name="options">How they are to be combined.</param>
    /// <exception cref="MergeException">There are none, an option is out of its range, or the result's rank would be.</exception>
    public static void Check(IReadOnlyList<int> ranks, CombinationOptions options)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        ArgumentNullException.ThrowIfNull(options);
        if (ranks.Count == 0)
        {
            throw new MergeException("No adapters were given; expected at least one.");
        }

        if (!(options.Density > 0 && options.Density <= 1))
        {
            throw new MergeException(FormattableString.Invariant($"The density is {options.Density}; expected above 0 and at most 1."));
        }

        if (options.Rank <= 0)
        {
            throw new MergeException($"The rank is {options.Rank}; expected at least 1.");
        }

        long rank = options.Method == CombinationMethod.Concatenation ? ranks.Sum(rank => (long)rank) : options.Rank ?? ranks.Max();
        if (rank > options.MaximumRank)
        {
            throw new MergeException(options.Method == CombinationMethod.Concatenation
                ? $"Pairs side by side would have rank {rank}; expected at most {options.MaximumRank}. Combine fewer, or by svd, which cuts them to a rank."
                : $"The rank is {rank}; expected at most {options.MaximumRank}.");
        }
    }

    /// <summary>Combines with DARE masks from elsewhere: <paramref name="drawMask"/> gives one of the length asked for.</summary>
    internal static ImmutableArray<LowRank> Combine(
        IReadOnlyList<WeightedAdapter> inputs, IBaseModel model, CombinationOptions options, Func<int, bool[]>? drawMask, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(model);
        Check([.. inputs.Select(input => input.Adapter.Report.MaximumRank)], options);
        Check(inputs);
        var combination = new AdapterCombination(inputs, options, drawMask, cancellationToken);
        BaseModule[] edited = [.. model.Modules.Where(module => combination._edits.Contains(module.Site))];
        if (edited.Length == 0)
        {
            throw new MergeException("The adapters edit no module of the base; there is nothing to combine.");
        }

        combination.CheckMemory(edited);
        return [.. edited.Select(combination.At)];
    }

    private static void Check(IReadOnlyList<WeightedAdapter> inputs)
    {
        foreach (WeightedAdapter input in inputs)
        {
            if (!double.IsFinite(input.Weight))
            {
                throw new MergeException(FormattableString.Invariant($"A weight is {input.Weight}; expected finite numbers."));
            }

            if (input.Adapter.InvocationTokens.Length > 0)
            {
                throw new MergeException("An adapter is active only after its invocation tokens (aLoRA); such adapters cannot be combined.");
            }

            if (input.Adapter.Edits.FirstOrDefault(edit => edit is not (LowRank or SharedLowRank)) is { } other)
            {
                throw new MergeException($"An adapter of method {input.Adapter.Report.Method} holds an edit {other.GetType().Name}; only low-rank pairs can be combined. Serve the adapters stacked instead.");
            }
        }
    }

    private LowRank At(BaseModule module)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        List<LowRank> pairs = [.. _edits[module.Site].Select(found => found.Edit as LowRank ?? ((SharedLowRank)found.Edit).ToLowRank(module.Inputs))];
        return Combine(module, pairs, [.. _edits[module.Site].Select(found => found.Weight)]);
    }

    /// <summary>Refuses what would take more memory than the options allow, before any of it is computed.</summary>
    private void CheckMemory(BaseModule[] edited)
    {
        long results = edited.Sum(module => (long)ResultRank(module) * (module.Inputs + module.Outputs) * sizeof(float));
        long bytes = results + edited.Max(WorkingBytes);
        if (bytes > _options.MaximumBytes)
        {
            throw new MergeException($"Combining these adapters by this method would take about {bytes} bytes of memory; at most {_options.MaximumBytes} may be taken. Combine fewer, or ask for a smaller rank.");
        }
    }

    private int ResultRank(BaseModule module)
    {
        IEnumerable<int> ranks = _edits[module.Site].Select(found => found.Edit is LowRank pair ? pair.Rank : ((SharedLowRank)found.Edit).Rank);
        return _options.Method == CombinationMethod.Concatenation ? ranks.Sum() : FormsChanges ? _options.Rank ?? ranks.Max() : ranks.Max();
    }

    /// <summary>About what is held at once while a module's pairs are combined; they themselves are not counted.</summary>
    private long WorkingBytes(BaseModule module)
    {
        // Electing signs needs every input's values at once; a sum needs those of one at a time, and what pruning sorts.
        long tensors = (ElectsSigns ? _edits[module.Site].Count() : 1) + 4;
        (long rows, long columns) = (module.Outputs, module.Inputs);
        if (!FormsChanges)
        {
            return tensors * ResultRank(module) * Math.Max(rows, columns) * sizeof(float);
        }

        // The decomposition's own: the change turned over, three squares of its shorter side and two sets of vectors, in double.
        long shorter = Math.Min(rows, columns);
        long vectors = Math.Max(ResultRank(module), shorter / 3);
        return ((tensors + 1) * rows * columns * sizeof(float)) + (((3 * shorter * shorter) + (2 * vectors * (rows + columns))) * sizeof(double));
    }

    private bool FormsChanges => _options.Method is CombinationMethod.Svd or CombinationMethod.TiesSvd or CombinationMethod.DareLinearSvd
        or CombinationMethod.DareTiesSvd or CombinationMethod.MagnitudePruneSvd;

    private bool ElectsSigns => _options.Method is CombinationMethod.Ties or CombinationMethod.TiesSvd or CombinationMethod.DareTies or CombinationMethod.DareTiesSvd;

    private LowRank Combine(BaseModule module, List<LowRank> pairs, double[] weights) =>
        _options.Method == CombinationMethod.Concatenation ? Concatenate(module.Site, pairs, weights)
        : FormsChanges ? CombineChanges(module.Site, pairs, weights)
        : CombineFactors(module, pairs, weights);

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
            throw new MergeException($"At {module.Path} the adapters have ranks {string.Join(", ", pairs.Select(pair => pair.Rank))}; this method needs equal ones. Use cat, svd or another method that decomposes.");
        }

        // Each factor takes the root of weight and scale; the weight's sign goes to A alone.
        double[] roots = [.. pairs.Zip(weights, (pair, weight) => Math.Sqrt(Math.Abs(weight * pair.Scale)))];
        double[] signed = [.. roots.Zip(weights, (root, weight) => weight < 0 ? -root : root)];
        float[] a = Unite(pairs.Select(pair => pair.A.Values), signed);
        float[] b = Unite(pairs.Select(pair => pair.B.Values), roots);
        return new LowRank(module.Site, new FloatMatrix(pairs[0].Rank, pairs[0].A.Columns, a), new FloatMatrix(pairs[0].B.Rows, pairs[0].Rank, b), 1);
    }

    private LowRank CombineChanges(Site site, List<LowRank> pairs, double[] weights)
    {
        (int rows, int columns) = (pairs[0].B.Rows, pairs[0].A.Columns);
        float[] change = Unite(
            pairs.Select(pair =>
            {
                var formed = new FloatMatrix(rows, columns);
                LowRankProduct.Add(formed, pair.A, pair.B, pair.Scale);
                return formed.Values;
            }),
            weights);
        TruncatedSvd svd = TruncatedSvd.Of(new FloatMatrix(rows, columns, change), _options.Rank ?? pairs.Max(pair => pair.Rank), _cancellationToken);
        return new LowRank(site, svd.Right, svd.ScaledLeft, 1);
    }

    /// <summary>Brings tensors together; each is made when it is wanted, so that a sum holds one at a time.</summary>
    private float[] Unite(IEnumerable<float[]> tensors, double[] weights)
    {
        IEnumerable<float[]> pruned = tensors.Select(tensor =>
        {
            _cancellationToken.ThrowIfCancellationRequested();
            return Prune(tensor);
        });
        return ElectsSigns ? TaskArithmetic.ElectSigns([.. pruned], weights, _options.ElectByFrequency) : TaskArithmetic.Sum(pruned, weights);
    }

    private float[] Prune(float[] tensor) => _options.Method switch
    {
        CombinationMethod.Linear or CombinationMethod.Svd => tensor,
        CombinationMethod.DareLinear or CombinationMethod.DareTies or CombinationMethod.DareLinearSvd or CombinationMethod.DareTiesSvd
            => Pruning.ByMask(tensor, _drawMask(tensor.Length), _options.Density),
        _ => Pruning.ByMagnitude(tensor, _options.Density),
    };
}

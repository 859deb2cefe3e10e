using System.Collections.Concurrent;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Training.Ranks.Extraction;

/// <summary>Makes a LoRA adapter of the difference of two checkpoints of one shape.</summary>
/// <remarks>
/// Each map's pair is the best approximation of its rank to the change (Eckart and Young, 1936). Few matrices are in memory at a
/// time: one change for each worker, beside the pairs.
/// </remarks>
public sealed class AdapterExtraction
{
    private readonly IBaseModel _model;
    private readonly IBaseModel _tuned;
    private readonly ExtractionOptions _options;
    private readonly Action _afterEach;
    private readonly CancellationToken _cancellationToken;

    private AdapterExtraction(IBaseModel model, IBaseModel tuned, ExtractionOptions options, Action afterEach, CancellationToken cancellationToken)
    {
        _model = model;
        _tuned = tuned;
        _options = options;
        _afterEach = afterEach;
        _cancellationToken = cancellationToken;
    }

    /// <summary>How often <see cref="Run"/> calls back for a number of targets.</summary>
    public static int StepCount(ExtractionOptions options, int targets)
    {
        ArgumentNullException.ThrowIfNull(options);
        return targets * (options.Policy.NeedsSpectra ? 3 : 2);
    }

    /// <summary>Compares the checkpoints and makes the pairs.</summary>
    /// <param name="model">The base.</param>
    /// <param name="tuned">What it became.</param>
    /// <param name="targets">Modules of the base that may get a pair; those that do not differ get none.</param>
    /// <param name="options">How.</param>
    /// <param name="afterEach">Called <see cref="StepCount"/> times, from any thread; null for nobody to tell.</param>
    /// <param name="cancellationToken">Gives up between two matrices.</param>
    /// <exception cref="RankChoiceException">
    /// The checkpoints have different shapes, no target differs, a weight is not finite, or the policy lacks something.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ExtractionResult Run(
        IBaseModel model,
        IBaseModel tuned,
        IReadOnlyList<BaseModule> targets,
        ExtractionOptions options,
        Action? afterEach = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tuned);
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(options);
        CheckpointDifference.CheckShapes(model, tuned);
        return new AdapterExtraction(model, tuned, options, afterEach ?? (static () => { }), cancellationToken).Extract(targets);
    }

    private ExtractionResult Extract(IReadOnlyList<BaseModule> targets)
    {
        BaseModule[] changed = FindChanged(targets);
        if (changed.Length == 0)
        {
            throw new RankChoiceException("The checkpoints do not differ in any target module; there is nothing to extract.");
        }

        var question = new RankQuestion
        {
            Model = _model,
            Targets = changed,
            Task = _options.Task,
            MaximumRank = _options.MaximumRank,
            Spectra = _options.Policy.NeedsSpectra ? Spectrum.OfAll(changed, Change, _options.Workers, _afterEach, _cancellationToken) : null,
        };
        if (_options.Policy.Missing(question) is { } missing)
        {
            throw new RankChoiceException($"Policy '{_options.Policy.Name}' needs {missing}.");
        }

        RankPlan plan = _options.Policy.Choose(question);
        Dictionary<Site, int> ranks = plan.Sites.Where(site => site.Rank > 0).ToDictionary(site => site.Module.Site, site => site.Rank);
        var pairs = new ConcurrentDictionary<Site, ExtractedPair>();
        ForEach(changed, module =>
        {
            if (ranks.TryGetValue(module.Site, out int rank))
            {
                pairs[module.Site] = Factor(module, rank, question.Spectra?[module.Site].Retained(rank));
            }

            _afterEach();
        });
        return new ExtractionResult(
            plan,
            [.. changed.Select(module => pairs.GetValueOrDefault(module.Site)).OfType<ExtractedPair>()],
            [.. CheckpointDifference.Outside(_model, _tuned, ranks.Keys.ToHashSet())]);
    }

    /// <summary>Targets that differ, in the model's order; the work on the others counts as done.</summary>
    private BaseModule[] FindChanged(IReadOnlyList<BaseModule> targets)
    {
        var changed = new ConcurrentDictionary<Site, bool>();
        ForEach(targets, module =>
        {
            bool differs = changed[module.Site] = CheckpointDifference.Differs(_model, _tuned, module);
            for (int step = differs ? 1 : StepCount(_options, 1); step > 0; step--)
            {
                _afterEach();
            }
        });
        return [.. targets.Where(target => changed[target.Site])];
    }

    private ExtractedPair Factor(BaseModule module, int rank, double? retained)
    {
        FloatMatrix change = Change(module);
        var svd = TruncatedSvd.Of(change, rank);
        float scale = (float)((_options.Alpha ?? rank) / rank);
        float[] b = [.. svd.ScaledLeft.Values.Select(value => value / scale)];
        var pair = new LowRank(module.Site, svd.Right, new FloatMatrix(svd.ScaledLeft.Rows, svd.ScaledLeft.Columns, b), scale);
        return new ExtractedPair(module, pair, RankQuality.Of(change, pair), retained);
    }

    /// <summary>tuned − base as a pair's product is laid out: [outputs, inputs], of the table [width, tokens].</summary>
    private FloatMatrix Change(BaseModule module)
    {
        FloatMatrix change = CheckpointDifference.Of(_model, _tuned, module);
        return module.Site == Site.Embedding ? change.Transposed() : change;
    }

    private void ForEach(IReadOnlyList<BaseModule> modules, Action<BaseModule> work) => MatrixWork.Run(modules, _options.Workers, work, _cancellationToken);
}

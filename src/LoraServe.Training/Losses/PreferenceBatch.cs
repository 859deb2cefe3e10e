using LoraServe.Adapters.Gradients;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Training.Data;

namespace LoraServe.Training.Losses;

/// <summary>Pairs of answers on their way through a step: scored by the reference first, then by the adapter that is trained.</summary>
/// <remarks>The reference is the base without the adapter.</remarks>
internal sealed class PreferenceBatch
{
    private readonly LossKind _kind;
    private readonly double _beta;
    private readonly TrainingExample[] _rows;
    private readonly int[] _completions;
    private readonly ResidentAdapter _adapter;
    private readonly BatchShare? _reference;
    private readonly BatchShare? _mismatchedReference;
    private readonly BatchShare? _mismatched;

    /// <summary>Pairs that no pass has seen yet.</summary>
    /// <param name="kind">What is minimised: not <see cref="LossKind.Supervised"/>.</param>
    /// <param name="beta">How strongly the reference holds; for ORPO the weight of the odds ratio.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="adapter">The adapter that is trained.</param>
    public PreferenceBatch(LossKind kind, double beta, IReadOnlyList<PreferenceExample> pairs, ResidentAdapter adapter)
    {
        (_kind, _beta, _adapter) = (kind, beta, adapter);
        _rows = [.. pairs.SelectMany(pair => new[] { kind == LossKind.Orpo ? OddsRatioLoss.Whole(pair.Chosen) : pair.Chosen, pair.Rejected })];
        _completions = [.. pairs.SelectMany(pair => new[] { pair.Chosen, pair.Rejected }).Select(row => LabelledTokens.Count([row], adapter))];
        if (kind != LossKind.Orpo)
        {
            _reference = new BatchShare { Examples = _rows };
        }

        if (kind == LossKind.Kto)
        {
            TrainingExample[] mismatched = KahnemanTverskyLoss.Mismatched(pairs);
            _mismatchedReference = new BatchShare { Examples = mismatched };
            _mismatched = new BatchShare { Examples = mismatched, Adapter = adapter };
        }
    }

    /// <summary>What a pass must have run before the pairs' own share; none for ORPO.</summary>
    public IReadOnlyList<BatchShare> References => [.. new[] { _reference, _mismatchedReference, _mismatched }.OfType<BatchShare>()];

    /// <summary>After the pass: the pairs' part of the step's loss.</summary>
    public double Loss { get; private set; }

    /// <summary>Labelled tokens of pairs: of ORPO's chosen sequences, prompts included, else of completions.</summary>
    public static int CountTokens(LossKind kind, IReadOnlyList<PreferenceExample> pairs, ResidentAdapter adapter) => kind == LossKind.Orpo
        ? LabelledTokens.Count(pairs.Select(pair => OddsRatioLoss.Whole(pair.Chosen)), adapter)
        : LabelledTokens.Count(pairs.SelectMany(pair => new[] { pair.Chosen, pair.Rejected }), adapter);

    /// <summary>The pairs' share of a pass.</summary>
    /// <param name="gradients">Where derivatives go; null where nothing is trained.</param>
    /// <param name="stepPairs">Pairs of the whole step.</param>
    /// <param name="stepTokens">Labelled tokens of the whole step.</param>
    public BatchShare Share(EditGradients? gradients, int stepPairs, int stepTokens) => new()
    {
        Adapter = _adapter,
        Gradients = gradients,
        Examples = _rows,
        Coefficients = (share, coefficients) => Loss = Run(new TokenLosses(share.Losses, share.LabelledTokens), stepPairs, stepTokens, coefficients),
    };

    private double Run(TokenLosses losses, int stepPairs, int stepTokens, Span<float> coefficients) => _kind switch
    {
        LossKind.Dpo => DirectPreferenceLoss.Run(losses, Sums(_reference!), _beta, stepPairs, coefficients),
        LossKind.Orpo => OddsRatioLoss.Run(losses, _completions, _beta, stepPairs, stepTokens, coefficients),
        _ => KahnemanTverskyLoss.Run(
            losses, Sums(_reference!), KahnemanTverskyLoss.Divergence(Sums(_mismatched!), Sums(_mismatchedReference!)), _beta, stepPairs, coefficients),
    };

    private static double[] Sums(BatchShare share) => new TokenLosses(share.Losses, share.LabelledTokens).LogProbabilities();
}

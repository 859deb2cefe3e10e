using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Training.Data;
using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;

namespace LoraServe.Training.Steps;

/// <summary>One adapter in training with its optimizer and schedule. Any number of them share a pass over the base, and none notices the others.</summary>
internal sealed class AdapterTraining : IDisposable
{
    private readonly Transformer _model;
    private readonly LearningRate _rate;
    private readonly double _maximumNorm;
    private readonly float _smoothing;
    private readonly LossKind _loss;
    private readonly double _beta;
    private readonly List<BatchShare> _shares = [];
    private readonly List<PreferenceBatch> _preferences = [];
    private IReadOnlyList<AdapterEdit>? _edits;
    private ResidentAdapter? _resident;
    private EditGradients? _gradients;
    private int _labelledTokens;
    private int _pairs;

    /// <summary>An adapter before its first step.</summary>
    /// <param name="adapter">What is trained.</param>
    /// <param name="model">The base.</param>
    /// <param name="optimizer">What updates the parameters.</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="maximumNorm">Length that the gradient is clipped to; infinity for none.</param>
    /// <param name="smoothing">Label smoothing.</param>
    /// <param name="loss">What is minimised.</param>
    /// <param name="beta">How strongly the reference of preferences holds; for ORPO the weight of the odds ratio.</param>
    public AdapterTraining(
        TrainableAdapter adapter,
        Transformer model,
        Optimizer optimizer,
        LearningRate rate,
        double maximumNorm = double.PositiveInfinity,
        float smoothing = 0,
        LossKind loss = LossKind.Supervised,
        double beta = 0.1)
    {
        Adapter = adapter;
        Optimizer = optimizer;
        _model = model;
        _rate = rate;
        _maximumNorm = maximumNorm;
        _smoothing = smoothing;
        _loss = loss;
        _beta = beta;
    }

    /// <summary>What is trained.</summary>
    public TrainableAdapter Adapter { get; private set; }

    /// <summary>What updates the parameters.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>Steps done.</summary>
    public int Step { get; set; }

    /// <summary>The adapter as the parameters make it now, resident until the step's end.</summary>
    public ResidentAdapter Resident => _resident ??= _model.Place(Edits);

    private IReadOnlyList<AdapterEdit> Edits => _edits ??= Adapter.Edits();

    /// <summary>Uses the adapter without the noise that its steps may have.</summary>
    public T AtRest<T>(Func<ResidentAdapter, T> use)
    {
        if (Adapter.EditsAtRest() is not { } edits)
        {
            return use(Resident);
        }

        using ResidentAdapter atRest = _model.Place(edits);
        return use(atRest);
    }

    /// <summary>Goes on with an adapter of a higher rank. The optimizer remembers of the old entries what it did, and nothing of the new.</summary>
    public void Grow(TrainableAdapter grown)
    {
        foreach ((Parameter from, Parameter to) in Adapter.Parameters.Zip(grown.Parameters))
        {
            Optimizer.Grow(from, to);
        }

        Adapter = grown;
        _gradients = null;
        Release();
    }

    /// <summary>Begins a step.</summary>
    /// <param name="labelledTokens">Labelled tokens of all its batches together: the loss is the mean over them.</param>
    public void BeginStep(int labelledTokens)
    {
        _labelledTokens = labelledTokens;
        _shares.Clear();
        _preferences.Clear();
        _gradients ??= new EditGradients(Edits, _model, Adapter.ReplacementGradients);
        _gradients.Clear();
        foreach (Parameter parameter in Adapter.Parameters)
        {
            Array.Clear(parameter.Gradient);
        }
    }

    /// <summary>Its share of a pass: the whole step's examples or, where gradients are accumulated, some of them.</summary>
    public BatchShare Share(IReadOnlyList<TrainingExample> examples)
    {
        var share = new BatchShare
        {
            Adapter = Resident,
            Gradients = _gradients,
            Examples = examples,
            Smoothing = _smoothing,
            UniformCoefficient = 1f / _labelledTokens,
        };
        _shares.Add(share);
        return share;
    }

    /// <summary>Begins a step of preferences.</summary>
    /// <param name="pairs">All its pairs.</param>
    public void BeginStep(IReadOnlyList<PreferenceExample> pairs)
    {
        BeginStep(PreferenceBatch.CountTokens(_loss, pairs, Resident));
        _pairs = pairs.Count;
    }

    /// <summary>All pairs of a step of preferences, or some of them. Their references are to be run first.</summary>
    public PreferenceBatch Preferences(IReadOnlyList<PreferenceExample> pairs) => new(_loss, _beta, pairs, Resident);

    /// <summary>Its share of a pass, when the batch's references have been run.</summary>
    public BatchShare Share(PreferenceBatch batch)
    {
        _preferences.Add(batch);
        return batch.Share(_gradients, _pairs, _labelledTokens);
    }

    /// <summary>Takes what the step's passes have gathered back to the parameters.</summary>
    /// <returns>The method's own term of the loss.</returns>
    public double PullGradients()
    {
        Adapter.Pull(_gradients!);
        return Adapter.Regularize();
    }

    /// <summary>Updates the parameters.</summary>
    /// <param name="pool">The workers; null for the calling thread alone.</param>
    /// <returns>What the step was like.</returns>
    /// <exception cref="DivergenceException">Loss or gradient are not numbers; the parameters are as they were.</exception>
    public StepResult EndStep(WorkerPool? pool = null)
    {
        double loss = (_shares.Sum(share => share.Losses.Sum(value => (double)value)) / _labelledTokens) + _preferences.Sum(batch => batch.Loss);
        loss += PullGradients();
        double rate = _rate.At(Step);
        double norm = GradientClipping.Clip(Adapter.Parameters, _maximumNorm, pool);
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
        {
            Release();
            throw new DivergenceException(Step + 1, loss, norm, rate);
        }

        Optimizer.Step(Adapter.Parameters, rate, pool);
        Adapter.AfterStep(Step);
        Step++;
        Release();
        return new StepResult(loss, norm, rate, _labelledTokens);
    }

    /// <summary>After the last step: <see cref="Resident"/> becomes, to the bit, what the saved files give.</summary>
    public void Finish()
    {
        Adapter.Finish();
        Release();
    }

    /// <inheritdoc />
    public void Dispose() => Release();

    private void Release()
    {
        _resident?.Dispose();
        (_resident, _edits) = (null, null);
    }
}

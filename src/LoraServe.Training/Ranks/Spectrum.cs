using System.Collections.Concurrent;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;

namespace LoraServe.Training.Ranks;

/// <summary>The singular values of a matrix and the ranks that keep a share of their energy.</summary>
public sealed class Spectrum
{
    private readonly double[] _sums;
    private readonly double[] _squares;

    /// <summary>Takes singular values in falling order.</summary>
    /// <exception cref="ArgumentException">They are not, or one is negative or not finite.</exception>
    public Spectrum(IReadOnlyList<double> singularValues)
    {
        ArgumentNullException.ThrowIfNull(singularValues);
        for (int i = 0; i < singularValues.Count; i++)
        {
            if (!(singularValues[i] >= 0 && double.IsFinite(singularValues[i]) && (i == 0 || singularValues[i] <= singularValues[i - 1])))
            {
                throw new ArgumentException($"Singular value {i} is {singularValues[i]}; expected finite values from 0, in falling order.", nameof(singularValues));
            }
        }

        SingularValues = singularValues;
        _sums = Cumulative(singularValues, value => value);
        _squares = Cumulative(singularValues, value => value * value);
    }

    /// <summary>In falling order.</summary>
    public IReadOnlyList<double> SingularValues { get; }

    /// <summary>The spectrum of a matrix.</summary>
    /// <exception cref="ArithmeticException">An element is not finite.</exception>
    public static Spectrum Of(FloatMatrix matrix) => new(Adapters.LinearAlgebra.SingularValues.Of(matrix));

    /// <summary>The spectra of a model's weights, several at a time.</summary>
    /// <param name="model">The model.</param>
    /// <param name="modules">Which of its modules.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="afterEach">Called after each matrix, from any thread.</param>
    /// <param name="cancellationToken">Gives up between two matrices.</param>
    /// <exception cref="ArithmeticException">A weight is not finite.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static IReadOnlyDictionary<Site, Spectrum> OfWeights(
        IBaseModel model,
        IReadOnlyList<BaseModule> modules,
        int workers,
        Action? afterEach = null,
        CancellationToken cancellationToken = default) => OfAll(modules, model.Weight, workers, afterEach, cancellationToken);

    /// <summary>The spectra of many matrices, several at a time.</summary>
    /// <param name="modules">Which.</param>
    /// <param name="read">Gives a module's matrix, from any thread; it is not kept.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="afterEach">Called after each matrix, from any thread.</param>
    /// <param name="cancellationToken">Gives up between two matrices.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    internal static IReadOnlyDictionary<Site, Spectrum> OfAll(
        IReadOnlyList<BaseModule> modules,
        Func<BaseModule, FloatMatrix> read,
        int workers,
        Action? afterEach = null,
        CancellationToken cancellationToken = default)
    {
        var spectra = new ConcurrentDictionary<Site, Spectrum>();
        MatrixWork.Run(
            modules,
            workers,
            module =>
            {
                spectra[module.Site] = Of(read(module));
                afterEach?.Invoke();
            },
            cancellationToken);
        return spectra;
    }

    /// <summary>The energy of all values.</summary>
    public double Total(EnergyMeasure measure = EnergyMeasure.Sum) => Energy(measure) is [.., var total] ? total : 0;

    /// <summary>The share of the energy that the greatest <paramref name="rank"/> values hold (the retention ratio), 0 to 1; 1 for a matrix of zeros.</summary>
    public double Retained(int rank, EnergyMeasure measure = EnergyMeasure.Sum)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        double[] energy = Energy(measure);
        double total = Total(measure);
        return total == 0 ? 1 : rank == 0 ? 0 : energy[Math.Min(rank, energy.Length) - 1] / total;
    }

    /// <summary>The smallest rank that holds at least a share of the energy; 0 for a matrix of zeros.</summary>
    /// <param name="share">Above 0, at most 1.</param>
    /// <param name="measure">What counts as energy.</param>
    public int RankFor(double share, EnergyMeasure measure = EnergyMeasure.Sum)
    {
        CheckShare(share);
        double[] energy = Energy(measure);
        double total = Total(measure);
        return total == 0 ? 0 : Array.FindIndex(energy, sum => sum / total >= share) + 1;
    }

    /// <summary>Refuses what is no share of energy.</summary>
    internal static void CheckShare(double share)
    {
        if (!(share > 0 && share <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "A share of energy is above 0 and at most 1.");
        }
    }

    private static double[] Cumulative(IReadOnlyList<double> values, Func<double, double> energy)
    {
        double[] sums = new double[values.Count];
        double sum = 0;
        for (int i = 0; i < sums.Length; i++)
        {
            sum += energy(values[i]);
            sums[i] = sum;
        }

        return sums;
    }

    private double[] Energy(EnergyMeasure measure) => measure == EnergyMeasure.Sum ? _sums : _squares;
}

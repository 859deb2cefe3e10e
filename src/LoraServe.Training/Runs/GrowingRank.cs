using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Training.Methods;
using LoraServe.Training.Options;
using LoraServe.Training.Ranks;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Runs;

/// <summary>A run's rank, which grows where evaluations stand still.</summary>
internal sealed class GrowingRank
{
    private readonly RankGrowth _growth;
    private readonly AdapterTraining _training;
    private readonly BestParameters _best;
    private readonly List<double> _losses = [];

    /// <summary>Watches over a run.</summary>
    /// <param name="growth">When and how far the rank grows.</param>
    /// <param name="training">The run's adapter and optimizer.</param>
    /// <param name="best">Its best parameters so far, which grow with it.</param>
    /// <exception cref="TrainingOptionsException">The method has no rank that can grow.</exception>
    public GrowingRank(RankGrowth growth, AdapterTraining training, BestParameters best)
    {
        _growth = growth;
        _training = training;
        _best = best;
        if (training.Adapter is not IGrowingRank { CanGrow: true })
        {
            throw Refusal();
        }
    }

    /// <summary>Refuses methods whose rank cannot grow, as far as their names tell.</summary>
    /// <exception cref="TrainingOptionsException">The method has no rank that can grow.</exception>
    public static void Check(TrainingJobOptions options)
    {
        if (options.Growth is not null && MethodCatalog.Find(options.Method) is not [{ GrowsRank: true }])
        {
            throw Refusal();
        }
    }

    /// <summary>The rank now.</summary>
    public int Rank => Adapter.Rank;

    /// <summary>Losses of the evaluations since it last grew.</summary>
    public IReadOnlyList<double> Losses => _losses;

    private IGrowingRank Adapter => (IGrowingRank)_training.Adapter;

    /// <summary>Takes note of an evaluation, and grows where it is time.</summary>
    public void Offer(double loss)
    {
        _losses.Add(loss);
        int next = _growth.After(Rank);
        if (next > Rank && _growth.IsDue(_losses))
        {
            Grow(next);
            _losses.Clear();
        }
    }

    /// <summary>Goes on from a checkpoint: takes the steps that led to its rank.</summary>
    public void Restore(int rank, IEnumerable<double> losses)
    {
        while (Rank < rank)
        {
            Grow(_growth.After(Rank));
        }

        _losses.Clear();
        _losses.AddRange(losses);
    }

    private static TrainingOptionsException Refusal()
    {
        string[] names = [.. MethodTable.Variants.Where(method => method.GrowsRank).Select(method => method.Name)];
        return new($"only the ranks of {string.Join(", ", names.SkipLast(1))} and {names[^1]} at linear maps can grow; name one of them, or a rank.");
    }

    private void Grow(int rank)
    {
        TrainableAdapter before = _training.Adapter;
        IGrowingRank growing = Adapter;
        _training.Grow(growing.Grown(rank));
        if (_best.Values.Count > 0)
        {
            _best.Restore(before);
            _best.Values = growing.Grown(rank).Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Values);
        }
    }
}

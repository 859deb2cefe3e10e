using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Runs;

/// <summary>Makes sure that an adapter's files, loaded as a server loads them, give what was trained: the same losses, bit for bit.</summary>
internal static class SavedAdapterCheck
{
    /// <summary>Compares on some examples.</summary>
    /// <param name="directories">The adapter's directory; of several trained as one, those of all, in their order.</param>
    /// <param name="training">What was trained.</param>
    /// <param name="model">The base.</param>
    /// <param name="pass">What computes.</param>
    /// <param name="examples">What they are compared on.</param>
    /// <exception cref="InvalidDataException">They differ.</exception>
    public static void Run(IReadOnlyList<string> directories, AdapterTraining training, Transformer model, ITrainingPass pass, IReadOnlyList<TrainingExample> examples)
    {
        var loaded = new List<ResidentAdapter>();
        var trained = new BatchShare { Adapter = training.Resident, Examples = examples };
        BatchShare saved;
        try
        {
            foreach (string directory in directories)
            {
                loaded.Add(model.Place(AdapterLoader.Load(directory, model, new AdapterLimits { AllowNoEffect = true })));
            }

            saved = new BatchShare { Adapter = loaded[0], Beside = loaded[1..], Examples = examples };
            pass.Run([trained]);
            pass.Run([saved]);
        }
        finally
        {
            loaded.ForEach(adapter => adapter.Dispose());
        }

        if (!trained.Losses.AsSpan().SequenceEqual(saved.Losses))
        {
            int first = Enumerable.Range(0, saved.Losses.Length).First(token => saved.Losses[token] != trained.Losses[token]);
            throw new InvalidDataException(FormattableString.Invariant(
                $"{string.Join(", ", directories)}: the saved adapter gives a loss of {saved.Losses[first]:r} at labelled token {first}, the trained one {trained.Losses[first]:r}; expected the same bits. The files may have been changed meanwhile."));
        }
    }
}

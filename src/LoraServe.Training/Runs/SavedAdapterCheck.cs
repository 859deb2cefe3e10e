using LoraServe.Adapters;
using LoraServe.Adapters.Resident;
using LoraServe.Models;
using LoraServe.Training.Autograd;
using LoraServe.Training.Data;

namespace LoraServe.Training.Runs;

/// <summary>Makes sure that an adapter's files, loaded as a server loads them, give what was trained: the same losses, bit for bit.</summary>
internal static class SavedAdapterCheck
{
    /// <summary>Compares on some examples.</summary>
    /// <exception cref="InvalidDataException">They differ.</exception>
    public static void Run(string directory, AdapterTraining training, Transformer model, TrainingPass pass, IReadOnlyList<TrainingExample> examples)
    {
        Adapter adapter = AdapterLoader.Load(directory, model, new AdapterLimits { AllowNoEffect = true });
        using ResidentAdapter loaded = ResidentAdapter.Create(adapter, model);
        var trained = new BatchShare { Adapter = training.Resident, Examples = examples };
        var saved = new BatchShare { Adapter = loaded, Examples = examples };
        pass.Run([trained]);
        pass.Run([saved]);
        if (!trained.Losses.AsSpan().SequenceEqual(saved.Losses))
        {
            int first = Enumerable.Range(0, saved.Losses.Length).First(token => saved.Losses[token] != trained.Losses[token]);
            throw new InvalidDataException(FormattableString.Invariant(
                $"{directory}: the saved adapter gives a loss of {saved.Losses[first]:r} at labelled token {first}, the trained one {trained.Losses[first]:r}; expected the same bits. The files may have been changed meanwhile."));
        }
    }
}
